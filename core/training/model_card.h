#pragma once

#include <string>
#include <utility>
#include <vector>

#include "core/models/voice.h"
#include "core/training/evaluation.h"

namespace ddsp::training {

struct ModelCard {
  std::string command;
  std::string data;      // of what the training set consisted
  std::string held_out;  // of what the held-out set consisted
  std::string options;   // that the numbers depend on
  double training_seconds = 0;
  int64_t steps = 0;
  double seconds_per_step = 0;
  std::vector<std::pair<int64_t, double>> loss_curve, held_out_curve;  // step, loss
  Evaluation evaluation;
};

// What the machine says of itself: processor model, cores.
std::string DescribeMachine();

// Markdown. Curves are thinned to about twelve columns.
std::string FormatModelCard(const Voice& voice, const ModelCard& card);

}  // namespace ddsp::training
