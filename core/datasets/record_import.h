// Upstream's data sets (TFRecord files of tf.train.Example) as sets of examples.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "core/datasets/record_layout.h"

namespace ddsp {

// The files that a shell's pattern ("train.tfrecord*") means, sorted. Errors: NOT_FOUND naming the pattern.
absl::StatusOr<std::vector<std::string>> FindRecordFiles(const std::string& pattern);

struct RecordImport {
  int64_t records = 0;
  std::vector<std::string> left_out;  // features of the first record that are not the layout's
};

// Writes the records of `files`, in that order, as a data set into `directory`. Recordings: audio, f0_hz,
// f0_confidence, loudness_db, and audio_16k if the first record has it, each [values], as `layout` says. Made-up notes,
// told by sin_amps: what generate-synthetic makes (synthetic_notes.h), of the sizes of the first record; of `layout`
// only example_secs, which their frames last, and sample_rate count. Goes on with an unfinished set of the same files.
// `progress` in [0, 1], of bytes. Errors: those of RecordFile, RecordReader, CheckRecord, NotesSizesOf and
// ExampleSetWriter; what is wrong with a record names its file, number and offset.
absl::StatusOr<RecordImport> ImportRecords(const std::vector<std::string>& files, const RecordLayout& layout,
                                           const std::string& directory, const std::function<void(double)>& progress);

}  // namespace ddsp
