#include "tests/fuzz/message_mutator.h"

#include <limits>
#include <string>
#include <vector>

namespace ddsp::fuzz {
namespace {

using google::protobuf::FieldDescriptor;
using google::protobuf::Message;
using google::protobuf::Reflection;

// Deeper messages are left alone: a message may contain itself.
constexpr int kDepth = 8;
constexpr int kMostRepeats = 4;

class Change {
 public:
  explicit Change(std::minstd_rand& random) : random_(random) {}

  void Apply(Message* message, int depth) {
    const auto* descriptor = message->GetDescriptor();
    if (descriptor->field_count() == 0) return;
    const FieldDescriptor* field = descriptor->field(Below(descriptor->field_count()));
    const Reflection* reflection = message->GetReflection();
    if (Below(8) == 0) return reflection->ClearField(message, field);
    if (field->is_repeated()) return Repeat(message, field, depth);
    if (field->cpp_type() == FieldDescriptor::CPPTYPE_MESSAGE) {
      if (depth < kDepth) Apply(reflection->MutableMessage(message, field), depth + 1);
      return;
    }
    Set(message, field);
  }

 private:
  int Below(int end) { return static_cast<int>(random_() % static_cast<unsigned>(end)); }

  template <class T>
  T Edge() {
    const T edges[] = {T(0),
                       T(1),
                       T(2),
                       T(-1),
                       T(20),
                       T(320),
                       T(16000),
                       T(48000),
                       std::numeric_limits<T>::max(),
                       std::numeric_limits<T>::lowest(),
                       std::numeric_limits<T>::max() / 2,
                       T(random_())};
    return edges[Below(std::size(edges))];
  }

  template <class T>
  T FloatEdge() {
    const T edges[] = {std::numeric_limits<T>::quiet_NaN(), std::numeric_limits<T>::infinity(),
                       -std::numeric_limits<T>::infinity(), std::numeric_limits<T>::denorm_min()};
    return Below(2) == 0 ? edges[Below(std::size(edges))] : Edge<T>() / T(7);
  }

  std::string Text(std::string text) {
    switch (Below(6)) {
      case 0:
        return "";
      case 1:
        return text + text + "/../";
      case 2:
        return text.substr(0, text.size() / 2);
      case 3:
        return std::string(Below(3000), '\0');
      case 4:
        return "violin";
      default:
        if (text.empty()) text = "a";
        text[Below(static_cast<int>(text.size()))] = static_cast<char>(random_());
        return text;
    }
  }

  // Text that is no UTF-8 would not be parsed; bytes may be anything.
  static std::string Fit(std::string text, const FieldDescriptor* field) {
    if (field->type() == FieldDescriptor::TYPE_STRING) {
      for (char& c : text) c = static_cast<char>(c & 0x7f);
    }
    return text;
  }

  void Repeat(Message* message, const FieldDescriptor* field, int depth) {
    const Reflection* reflection = message->GetReflection();
    const int size = reflection->FieldSize(*message, field);
    if (size > 0 && Below(3) == 0) return reflection->RemoveLast(message, field);
    if (field->cpp_type() == FieldDescriptor::CPPTYPE_MESSAGE) {
      if (depth >= kDepth) return;
      Message* element = size > 0 && Below(2) == 0 ? reflection->MutableRepeatedMessage(message, field, Below(size))
                                                   : reflection->AddMessage(message, field);
      return Apply(element, depth + 1);
    }
    for (int i = Below(kMostRepeats); i >= 0; --i) Add(message, field);
  }

  void Set(Message* message, const FieldDescriptor* field) {
    const Reflection* r = message->GetReflection();
    switch (field->cpp_type()) {
      case FieldDescriptor::CPPTYPE_INT32:
        return r->SetInt32(message, field, Edge<int32_t>());
      case FieldDescriptor::CPPTYPE_INT64:
        return r->SetInt64(message, field, Edge<int64_t>());
      case FieldDescriptor::CPPTYPE_UINT32:
        return r->SetUInt32(message, field, Edge<uint32_t>());
      case FieldDescriptor::CPPTYPE_UINT64:
        return r->SetUInt64(message, field, Edge<uint64_t>());
      case FieldDescriptor::CPPTYPE_DOUBLE:
        return r->SetDouble(message, field, FloatEdge<double>());
      case FieldDescriptor::CPPTYPE_FLOAT:
        return r->SetFloat(message, field, FloatEdge<float>());
      case FieldDescriptor::CPPTYPE_BOOL:
        return r->SetBool(message, field, Below(2) == 0);
      case FieldDescriptor::CPPTYPE_ENUM:
        return r->SetEnumValue(message, field, Below(12) - 1);
      case FieldDescriptor::CPPTYPE_STRING:
        return r->SetString(message, field, Fit(Text(r->GetString(*message, field)), field));
      case FieldDescriptor::CPPTYPE_MESSAGE:
        return;
    }
  }

  void Add(Message* message, const FieldDescriptor* field) {
    const Reflection* r = message->GetReflection();
    switch (field->cpp_type()) {
      case FieldDescriptor::CPPTYPE_INT32:
        return r->AddInt32(message, field, Edge<int32_t>());
      case FieldDescriptor::CPPTYPE_INT64:
        return r->AddInt64(message, field, Edge<int64_t>());
      case FieldDescriptor::CPPTYPE_UINT32:
        return r->AddUInt32(message, field, Edge<uint32_t>());
      case FieldDescriptor::CPPTYPE_UINT64:
        return r->AddUInt64(message, field, Edge<uint64_t>());
      case FieldDescriptor::CPPTYPE_DOUBLE:
        return r->AddDouble(message, field, FloatEdge<double>());
      case FieldDescriptor::CPPTYPE_FLOAT:
        return r->AddFloat(message, field, FloatEdge<float>());
      case FieldDescriptor::CPPTYPE_BOOL:
        return r->AddBool(message, field, Below(2) == 0);
      case FieldDescriptor::CPPTYPE_ENUM:
        return r->AddEnumValue(message, field, Below(12) - 1);
      case FieldDescriptor::CPPTYPE_STRING:
        return r->AddString(message, field, Fit(Text(""), field));
      case FieldDescriptor::CPPTYPE_MESSAGE:
        return;
    }
  }

  std::minstd_rand& random_;
};

}  // namespace

void Mutate(Message* message, std::minstd_rand& random) { Change(random).Apply(message, 0); }

}  // namespace ddsp::fuzz
