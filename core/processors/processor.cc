#include "core/processors/processor.h"

#include "absl/strings/str_cat.h"
#include "core/base/status_macros.h"
#include "core/dsp/argument.h"

namespace ddsp {

absl::StatusOr<NamedTensors> Processor::GetControls(const NamedTensors& inputs, const ProcessorContext& context) const {
  for (const Port& port : this->inputs()) {
    if (port.required) RETURN_IF_ERROR(CheckPresent(inputs, port.name, name_));
  }
  for (const ParameterSpec& parameter : parameters()) {
    RETURN_IF_ERROR(CheckPresent(context.parameters, parameter.name, name_));
  }
  auto controls = CatchTorch([&] { return ControlsFrom(inputs, context); });
  if (!controls.ok()) return WithName(name_, controls.status());
  return controls;
}

absl::StatusOr<at::Tensor> Processor::GetSignal(const NamedTensors& controls, const ProcessorContext& context) const {
  for (const std::string& name : this->controls()) RETURN_IF_ERROR(CheckPresent(controls, name, name_));
  auto signal = CatchTorch([&] { return SignalFrom(controls, context); });
  if (!signal.ok()) return WithName(name_, signal.status());
  return signal;
}

absl::StatusOr<ProcessorOutput> Processor::Run(const NamedTensors& inputs, const ProcessorContext& context) const {
  ProcessorOutput output;
  ASSIGN_OR_RETURN(output.controls, GetControls(inputs, context));
  ASSIGN_OR_RETURN(output.signal, GetSignal(output.controls, context));
  return output;
}

NamedTensors Processor::ControlsFrom(const NamedTensors& inputs, const ProcessorContext&) const {
  NamedTensors controls;
  for (const std::string& name : this->controls()) controls[name] = inputs.at(name);
  return controls;
}

absl::Status WithName(const std::string& name, const absl::Status& status) {
  if (status.ok()) return status;
  return absl::Status(status.code(), absl::StrCat(name, ": ", status.message()));
}

absl::Status CheckPresent(const NamedTensors& tensors, const std::string& name, const std::string& owner) {
  const auto it = tensors.find(name);
  if (it != tensors.end() && it->second.defined()) return absl::OkStatus();
  const absl::Status missing = Lookup(tensors, name).status();
  return WithName(owner, missing.ok() ? absl::NotFoundError(absl::StrCat("'", name, "' is undefined")) : missing);
}

at::Tensor Optional(const NamedTensors& tensors, const std::string& name) {
  const auto it = tensors.find(name);
  return it == tensors.end() ? at::Tensor() : it->second;
}

}  // namespace ddsp
