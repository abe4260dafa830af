#include "core/importer/pickle_reader.h"

#include <bit>
#include <cmath>
#include <cstring>

#include "absl/strings/ascii.h"
#include "absl/strings/escaping.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "core/base/status_macros.h"

namespace ddsp::importer {
namespace {

using Kind = PickleValue::Kind;

// What may be named in a pickle, and what calling it gives.
enum class Callable { kDtype, kScalar, kReconstruct, kArrayType, kRandomState, kQuantileTransformer };
struct KnownClass {
  const char* name;
  Callable callable;
};
constexpr KnownClass kKnownClasses[] = {
    {"numpy.dtype", Callable::kDtype},
    {"numpy.ndarray", Callable::kArrayType},
    {"numpy.core.multiarray.scalar", Callable::kScalar},
    {"numpy._core.multiarray.scalar", Callable::kScalar},
    {"numpy.core.multiarray._reconstruct", Callable::kReconstruct},
    {"numpy._core.multiarray._reconstruct", Callable::kReconstruct},
    {"numpy.random._pickle.__randomstate_ctor", Callable::kRandomState},
    {"numpy.random._pickle.__bit_generator_ctor", Callable::kRandomState},
    {"numpy.random._mt19937.MT19937", Callable::kRandomState},
    {"ddsp.training.postprocessing.QuantileTransformer", Callable::kQuantileTransformer},
    // Before upstream had a copy of it.
    {"sklearn.preprocessing._data.QuantileTransformer", Callable::kQuantileTransformer},
    {"sklearn.preprocessing.data.QuantileTransformer", Callable::kQuantileTransformer},
};

const KnownClass* FindClass(std::string_view name) {
  for (const KnownClass& known : kKnownClasses) {
    if (name == known.name) return &known;
  }
  return nullptr;
}

enum Opcode : unsigned char {
  kMark = '(',
  kStop = '.',
  kNone = 'N',
  kNewTrue = 0x88,
  kNewFalse = 0x89,
  kBinInt = 'J',
  kBinInt1 = 'K',
  kBinInt2 = 'M',
  kLong1 = 0x8a,
  kBinFloat = 'G',
  kBinUnicode = 'X',
  kShortBinUnicode = 0x8c,
  kBinBytes = 'B',
  kShortBinBytes = 'C',
  kEmptyTuple = ')',
  kTuple = 't',
  kTuple1 = 0x85,
  kTuple2 = 0x86,
  kTuple3 = 0x87,
  kEmptyList = ']',
  kAppend = 'a',
  kAppends = 'e',
  kEmptyDict = '}',
  kSetItem = 's',
  kSetItems = 'u',
  kBinPut = 'q',
  kLongBinPut = 'r',
  kBinGet = 'h',
  kLongBinGet = 'j',
  kMemoize = 0x94,
  kGlobal = 'c',
  kStackGlobal = 0x93,
  kReduce = 'R',
  kNewObj = 0x81,
  kBuild = 'b',
  kProto = 0x80,
  kFrame = 0x95,
};

int64_t WidthOf(std::string_view dtype) {
  for (const char* known : {"f4", "i4", "u4", "f8", "i8"}) {
    if (dtype == known) return known[1] - '0';
  }
  return 0;
}

template <class T>
double Load(std::string_view bytes) {
  T value;
  std::memcpy(&value, bytes.data(), sizeof(T));
  return static_cast<double>(value);
}

double LoadAs(std::string_view dtype, std::string_view bytes) {
  if (dtype == "f4") return Load<float>(bytes);
  if (dtype == "f8") return Load<double>(bytes);
  if (dtype == "i4") return Load<int32_t>(bytes);
  if (dtype == "i8") return Load<int64_t>(bytes);
  return Load<uint32_t>(bytes);
}

// The pickle machine: a stack, a memo, and marks in the stack (null).
class Machine {
 public:
  Machine(std::string_view bytes, const std::string& file, std::deque<PickleValue>* values)
      : bytes_(bytes), file_(file), values_(values) {}

  absl::StatusOr<const PickleValue*> Run() {
    for (;;) {
      opcode_at_ = at_;
      ASSIGN_OR_RETURN(const uint64_t opcode, Number(1));
      if (opcode == kStop) break;
      RETURN_IF_ERROR(Step(static_cast<unsigned char>(opcode)));
    }
    if (stack_.size() != 1 || stack_[0] == nullptr) return Bad("the pickle ends with more than one value, or none");
    return stack_[0];
  }

 private:
  absl::Status Bad(absl::string_view why) const {
    return absl::InvalidArgumentError(absl::StrCat(file_, ": offset ", opcode_at_, ": ", why));
  }

  // Reading.
  absl::StatusOr<std::string_view> Take(uint64_t size) {
    if (size > bytes_.size() - at_)
      return absl::DataLossError(absl::StrCat(file_, ": offset ", at_, ": the pickle ends early"));
    const std::string_view taken = bytes_.substr(at_, size);
    at_ += size;
    return taken;
  }
  absl::StatusOr<uint64_t> Number(int width) {
    ASSIGN_OR_RETURN(const std::string_view bytes, Take(width));
    uint64_t value = 0;
    for (int i = width; i-- > 0;) value = value << 8 | static_cast<unsigned char>(bytes[i]);
    return value;
  }
  absl::StatusOr<std::string> Line() {
    const size_t end = bytes_.find('\n', at_);
    ASSIGN_OR_RETURN(const std::string_view line, Take((end == std::string_view::npos ? bytes_.size() : end) - at_));
    RETURN_IF_ERROR(Take(1).status());
    return std::string(line);
  }

  // The stack.
  PickleValue* Push(Kind kind) {
    values_->push_back({});
    values_->back().kind = kind;
    stack_.push_back(&values_->back());
    return stack_.back();
  }
  void PushNumber(double number) { Push(Kind::kNumber)->number = number; }
  absl::Status PushText(Kind kind, int length_width) {
    ASSIGN_OR_RETURN(const uint64_t length, Number(length_width));
    ASSIGN_OR_RETURN(const std::string_view text, Take(length));
    Push(kind)->text = std::string(text);
    return absl::OkStatus();
  }
  absl::StatusOr<PickleValue*> Pop() {
    if (stack_.empty() || stack_.back() == nullptr) return Bad("the stack is empty");
    PickleValue* value = stack_.back();
    stack_.pop_back();
    return value;
  }
  // Everything above the last mark, or the top `count`.
  absl::StatusOr<std::vector<const PickleValue*>> PopToMark() {
    size_t mark = stack_.size();
    while (mark > 0 && stack_[mark - 1] != nullptr) --mark;
    if (mark == 0) return Bad("there is no mark");
    std::vector<const PickleValue*> values(stack_.begin() + static_cast<int64_t>(mark), stack_.end());
    stack_.resize(mark - 1);
    return values;
  }
  absl::StatusOr<std::vector<const PickleValue*>> PopMany(int count) {
    std::vector<const PickleValue*> values(count);
    for (int i = count; i-- > 0;) {
      ASSIGN_OR_RETURN(values[i], Pop());
    }
    return values;
  }
  absl::StatusOr<PickleValue*> Top(Kind kind) {
    if (stack_.empty() || stack_.back() == nullptr || stack_.back()->kind != kind)
      return Bad("the value on the stack is of another kind");
    return stack_.back();
  }
  absl::Status Memoize(uint64_t index) {
    if (stack_.empty() || stack_.back() == nullptr) return Bad("there is nothing to remember");
    if (index > memo_.size()) return Bad(absl::StrCat("memo ", index, " comes before ", memo_.size()));
    if (index == memo_.size()) memo_.push_back(nullptr);
    memo_[index] = stack_.back();
    return absl::OkStatus();
  }
  absl::Status Recall(uint64_t index) {
    if (index >= memo_.size()) return Bad(absl::StrCat("memo ", index, " of ", memo_.size()));
    stack_.push_back(memo_[index]);
    return absl::OkStatus();
  }

  absl::Status Step(unsigned char opcode);
  absl::Status PushScalar(unsigned char opcode);
  absl::Status AddItems(Kind kind, absl::StatusOr<std::vector<const PickleValue*>> items);
  absl::Status PushTuple(absl::StatusOr<std::vector<const PickleValue*>> items);

  // Classes and what is made of them.
  absl::Status PushClass(const std::string& module, const std::string& name);
  absl::Status Call();
  absl::Status Build();
  absl::Status BuildArray(const PickleValue& state, PickleValue* array);

  const std::string_view bytes_;
  const std::string& file_;
  std::deque<PickleValue>* const values_;
  size_t at_ = 0, opcode_at_ = 0;
  std::vector<PickleValue*> stack_, memo_;
};

absl::Status Machine::Step(unsigned char opcode) {
  switch (opcode) {
    case kProto: {
      ASSIGN_OR_RETURN(const uint64_t protocol, Number(1));
      return protocol >= 2 && protocol <= 5 ? absl::OkStatus() : Bad(absl::StrCat("protocol ", protocol));
    }
    case kFrame:
      return Number(8).status();
    case kMark:
      stack_.push_back(nullptr);
      return absl::OkStatus();
    case kEmptyTuple:
    case kEmptyList:
      Push(Kind::kSequence);
      return absl::OkStatus();
    case kEmptyDict:
      Push(Kind::kDict);
      return absl::OkStatus();
    case kTuple:
      return PushTuple(PopToMark());
    case kTuple1:
    case kTuple2:
    case kTuple3:
      return PushTuple(PopMany(opcode - kTuple1 + 1));
    case kAppend:
      return AddItems(Kind::kSequence, PopMany(1));
    case kAppends:
      return AddItems(Kind::kSequence, PopToMark());
    case kSetItem:
      return AddItems(Kind::kDict, PopMany(2));
    case kSetItems:
      return AddItems(Kind::kDict, PopToMark());
    case kMemoize:
      return Memoize(memo_.size());
    case kBinPut:
    case kLongBinPut: {
      ASSIGN_OR_RETURN(const uint64_t index, Number(opcode == kBinPut ? 1 : 4));
      return Memoize(index);
    }
    case kBinGet:
    case kLongBinGet: {
      ASSIGN_OR_RETURN(const uint64_t index, Number(opcode == kBinGet ? 1 : 4));
      return Recall(index);
    }
    case kGlobal: {
      ASSIGN_OR_RETURN(const std::string module, Line());
      ASSIGN_OR_RETURN(const std::string name, Line());
      return PushClass(module, name);
    }
    case kStackGlobal: {
      ASSIGN_OR_RETURN(const auto names, PopMany(2));
      if (names[0]->kind != Kind::kText || names[1]->kind != Kind::kText) return Bad("a class without a name");
      return PushClass(names[0]->text, names[1]->text);
    }
    case kReduce:
    case kNewObj:
      return Call();
    case kBuild:
      return Build();
    default:
      return PushScalar(opcode);
  }
}

absl::Status Machine::PushScalar(unsigned char opcode) {
  switch (opcode) {
    case kNone:
      Push(Kind::kNone);
      return absl::OkStatus();
    case kNewTrue:
    case kNewFalse:
      PushNumber(opcode == kNewTrue ? 1 : 0);
      return absl::OkStatus();
    case kBinInt: {
      ASSIGN_OR_RETURN(const uint64_t number, Number(4));
      PushNumber(static_cast<int32_t>(static_cast<uint32_t>(number)));
      return absl::OkStatus();
    }
    case kBinInt1:
    case kBinInt2: {
      ASSIGN_OR_RETURN(const uint64_t number, Number(opcode == kBinInt1 ? 1 : 2));
      PushNumber(static_cast<double>(number));
      return absl::OkStatus();
    }
    case kLong1: {
      ASSIGN_OR_RETURN(const uint64_t length, Number(1));
      if (length > 8) return Bad(absl::StrCat("an integer of ", length, " bytes"));
      ASSIGN_OR_RETURN(const uint64_t number, Number(static_cast<int>(length)));
      const int unused = 64 - 8 * static_cast<int>(length);
      PushNumber(length == 0 ? 0 : static_cast<double>(static_cast<int64_t>(number << unused) >> unused));
      return absl::OkStatus();
    }
    case kBinFloat: {
      ASSIGN_OR_RETURN(const std::string_view big_endian, Take(8));
      const std::string bytes(big_endian.rbegin(), big_endian.rend());
      PushNumber(Load<double>(bytes));
      return absl::OkStatus();
    }
    case kBinUnicode:
      return PushText(Kind::kText, 4);
    case kShortBinUnicode:
      return PushText(Kind::kText, 1);
    case kBinBytes:
      return PushText(Kind::kBytes, 4);
    case kShortBinBytes:
      return PushText(Kind::kBytes, 1);
    default:
      return Bad(absl::StrFormat("opcode 0x%02x is none that dataset statistics need", opcode));
  }
}

absl::Status Machine::AddItems(Kind kind, absl::StatusOr<std::vector<const PickleValue*>> items) {
  RETURN_IF_ERROR(items.status());
  ASSIGN_OR_RETURN(PickleValue* const container, Top(kind));
  if (kind == Kind::kDict && items->size() % 2 != 0) return Bad("a key without a value");
  container->items.insert(container->items.end(), items->begin(), items->end());
  return absl::OkStatus();
}

absl::Status Machine::PushTuple(absl::StatusOr<std::vector<const PickleValue*>> items) {
  RETURN_IF_ERROR(items.status());
  Push(Kind::kSequence)->items = *std::move(items);
  return absl::OkStatus();
}

absl::Status Machine::PushClass(const std::string& module, const std::string& name) {
  const std::string full = absl::StrCat(module, ".", name);
  if (FindClass(full) == nullptr) {
    return Bad(absl::StrCat("class '", absl::CHexEscape(full),
                            "' is none that dataset statistics need; nothing of it is loaded"));
  }
  Push(Kind::kClass)->text = full;
  return absl::OkStatus();
}

absl::Status Machine::Call() {
  ASSIGN_OR_RETURN(const auto call, PopMany(2));
  const PickleValue &callee = *call[0], &arguments = *call[1];
  if (callee.kind != Kind::kClass || arguments.kind != Kind::kSequence) return Bad("a call of what is no class");
  const auto argument = [&](size_t i, Kind kind) {
    return i < arguments.items.size() && arguments.items[i]->kind == kind ? arguments.items[i] : nullptr;
  };
  switch (FindClass(callee.text)->callable) {
    case Callable::kDtype: {
      const PickleValue* name = argument(0, Kind::kText);
      if (name == nullptr || WidthOf(name->text) == 0)
        return Bad(absl::StrCat("dtype '", name ? absl::CHexEscape(name->text) : "", "' is not read here"));
      Push(Kind::kDtype)->text = name->text;
      return absl::OkStatus();
    }
    case Callable::kScalar: {
      const PickleValue *dtype = argument(0, Kind::kDtype), *bytes = argument(1, Kind::kBytes);
      if (dtype == nullptr || bytes == nullptr || static_cast<int64_t>(bytes->text.size()) != WidthOf(dtype->text))
        return Bad("a numpy scalar without its bytes");
      PushNumber(LoadAs(dtype->text, bytes->text));
      return absl::OkStatus();
    }
    case Callable::kReconstruct:
      Push(Kind::kArray);
      return absl::OkStatus();
    case Callable::kRandomState:
      Push(Kind::kOpaque);
      return absl::OkStatus();
    case Callable::kQuantileTransformer:
      Push(Kind::kObject)->text = callee.text;
      return absl::OkStatus();
    case Callable::kArrayType:
      break;
  }
  return Bad(absl::StrCat("'", callee.text, "' is not called in dataset statistics"));
}

absl::Status Machine::Build() {
  ASSIGN_OR_RETURN(const PickleValue* const state, Pop());
  if (stack_.empty() || stack_.back() == nullptr) return Bad("the stack is empty");
  PickleValue* const value = stack_.back();
  switch (value->kind) {
    case Kind::kOpaque:
      return absl::OkStatus();
    case Kind::kDtype: {
      const bool has_order = state->kind == Kind::kSequence && state->items.size() >= 2;
      if (has_order && state->items[1]->text == "<") return absl::OkStatus();
      return Bad("a dtype in another byte order than little-endian");
    }
    case Kind::kObject:
      if (state->kind != Kind::kDict) return Bad("an object whose state is no dictionary");
      value->items = state->items;
      return absl::OkStatus();
    case Kind::kArray:
      return BuildArray(*state, value);
    default:
      return Bad("a state for what has none");
  }
}

// The state of a numpy array: version, shape, dtype, whether it is in column order, bytes.
absl::Status Machine::BuildArray(const PickleValue& state, PickleValue* array) {
  if (state.kind != Kind::kSequence || state.items.size() != 5) return Bad("an array without its five parts");
  const PickleValue &shape = *state.items[1], &dtype = *state.items[2], &order = *state.items[3],
                    &bytes = *state.items[4];
  if (shape.kind != Kind::kSequence || dtype.kind != Kind::kDtype || bytes.kind != Kind::kBytes || order.number != 0)
    return Bad("an array of a form that is not read here");
  const int64_t width = WidthOf(dtype.text), elements = static_cast<int64_t>(bytes.text.size()) / width;
  double expected = 1;
  array->shape.clear();
  for (const PickleValue* extent : shape.items) {
    if (extent->kind != Kind::kNumber || !(extent->number >= 0 && extent->number <= 1e9) || array->shape.size() == 8)
      return Bad("an array's shape is none");
    array->shape.push_back(static_cast<int64_t>(extent->number));
    expected *= extent->number;
  }
  if (expected * static_cast<double>(width) != static_cast<double>(bytes.text.size())) {
    return Bad(absl::StrCat("an array of ", expected, " values in ", bytes.text.size(), " bytes"));
  }
  array->values.clear();
  for (int64_t i = 0; i < elements; ++i)
    array->values.push_back(LoadAs(dtype.text, std::string_view(bytes.text).substr(i * width, width)));
  return absl::OkStatus();
}

}  // namespace

const PickleValue* PickleValue::Find(std::string_view key) const {
  const PickleValue* found = nullptr;  // the last one counts, as in Python
  for (size_t i = 0; i + 1 < items.size(); i += 2) {
    if (items[i]->kind == Kind::kText && items[i]->text == key) found = items[i + 1];
  }
  return found;
}

absl::StatusOr<Pickle> Pickle::Parse(std::string_view bytes, const std::string& file) {
  Pickle pickle;
  pickle.values_ = std::make_unique<std::deque<PickleValue>>();
  ASSIGN_OR_RETURN(pickle.root_, Machine(bytes, file, pickle.values_.get()).Run());
  return pickle;
}

}  // namespace ddsp::importer
