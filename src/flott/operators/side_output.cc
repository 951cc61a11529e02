#include "flott/operators/side_output.h"

#include "flott/base/error.h"
#include "flott/data/type_description.h"

namespace flott {

void throwSideOutputWithoutName() {
  throw Error(ErrorKind::kUser, "an OutputTag has an empty name: give each side output a name");
}

void throwSideOutputTypes(const std::string& name, const std::string& first, const std::string& second) {
  throw Error(ErrorKind::kUser, "side output '" + name + "' is used with two types, " + first + " and " +
                                    second + ": give each side output of an operator a name of its own");
}

void throwSideOutputNames(const std::string& first, const std::string& second) {
  throw Error(ErrorKind::kUser,
              "side outputs '" + first + "' and '" + second +
                  "' of one operator happen to hash to the same number: rename one of them");
}

void SideOutputs::start(Output& output, bool stamped) {
  output_ = &output;
  stamped_ = stamped;
  full_ = false;
  for (Side& side : sides_) {
    if (side.open != nullptr) side.open->start(output, stamped);
  }
}

void SideOutputs::flush() {
  for (Side& side : sides_) {
    if (side.open != nullptr) side.open->flush();
  }
}

SideOutputs::Side& SideOutputs::add(Side side) {
  for (const Side& other : sides_) {
    if (other.id == side.id)
      throwSideOutputTypes(side.name, other.description->toString(), side.description->toString());
    if (other.index == side.index) throwSideOutputNames(other.name, side.name);
  }
  sides_.push_back(std::move(side));
  return sides_.back();
}

}  // namespace flott
