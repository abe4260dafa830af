#include <arpa/inet.h>
#include <netdb.h>
#include <sys/socket.h>
#include <unistd.h>

#include <torch/csrc/distributed/c10d/ProcessGroupGloo.hpp>
#include <torch/csrc/distributed/c10d/TCPStore.hpp>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "core/base/status_macros.h"
#include "core/training/distributed/worker_group.h"

namespace ddsp::training {
namespace {

using std::chrono::milliseconds;

// What c10d says, without the place in its source, its advice and its stack trace.
std::string Reason(const std::exception& error) {
  absl::string_view text = error.what();
  text = text.substr(0, text.find('\n'));
  if (const size_t place = text.find("] "); absl::StartsWith(text, "[/") && place != text.npos)
    text.remove_prefix(place + 2);
  return std::string(text.substr(0, text.find(". This is typically")));
}

class GlooGroup final : public WorkerGroup {
 public:
  GlooGroup(c10::intrusive_ptr<c10d::Store> store, c10::intrusive_ptr<c10d::ProcessGroupGloo> group)
      : store_(std::move(store)), group_(std::move(group)) {}

  int rank() const override { return group_->getRank(); }
  int workers() const override { return group_->getSize(); }

  absl::Status Sum(at::Tensor values) override {
    std::vector<at::Tensor> tensors = {std::move(values)};
    return Wait([&] { return group_->allreduce(tensors); });
  }

  absl::Status CopyFromFirst(at::Tensor values) override {
    std::vector<at::Tensor> tensors = {std::move(values)};
    return Wait([&] { return group_->broadcast(tensors); });
  }

 private:
  template <typename Start>
  absl::Status Wait(Start start) {
    if (!lost_.ok()) return lost_;
    try {
      start()->wait();
    } catch (const std::exception& error) {
      lost_ = absl::UnavailableError(absl::StrCat("a worker of this training was lost: worker ", rank(), " of ",
                                                  workers(), " sees: ", Reason(error)));
    }
    return lost_;
  }

  const c10::intrusive_ptr<c10d::Store> store_;  // rank 0's serves the others
  const c10::intrusive_ptr<c10d::ProcessGroupGloo> group_;
  absl::Status lost_;
};

// This machine's address on the way to `host`, where the others reach it.
absl::StatusOr<std::string> AddressTowards(const std::string& host) {
  addrinfo hints = {};
  hints.ai_socktype = SOCK_DGRAM;
  addrinfo* found = nullptr;
  if (const int error = getaddrinfo(host.c_str(), "9", &hints, &found); error != 0) {
    return absl::InvalidArgumentError(absl::StrCat(host, ": ", gai_strerror(error)));
  }
  std::string address;
  for (const addrinfo* a = found; a != nullptr && address.empty(); a = a->ai_next) {
    const int fd = socket(a->ai_family, a->ai_socktype, a->ai_protocol);
    if (fd < 0) continue;
    sockaddr_storage local = {};
    socklen_t size = sizeof(local);
    char text[NI_MAXHOST];
    // Nothing is sent: the kernel only looks up the route.
    if (connect(fd, a->ai_addr, a->ai_addrlen) == 0 &&
        getsockname(fd, reinterpret_cast<sockaddr*>(&local), &size) == 0 &&
        getnameinfo(reinterpret_cast<sockaddr*>(&local), size, text, sizeof(text), nullptr, 0, NI_NUMERICHOST) == 0) {
      address = text;
    }
    close(fd);
  }
  freeaddrinfo(found);
  if (address.empty()) return absl::UnavailableError(absl::StrCat("no way to ", host, " from here"));
  return address;
}

absl::Status CheckOptions(const JoinOptions& options) {
  if (options.workers < 1) return absl::InvalidArgumentError(absl::StrCat("workers is ", options.workers));
  if (options.rank < 0 || options.rank >= options.workers) {
    return absl::InvalidArgumentError(absl::StrCat("rank is ", options.rank, ", expected 0 to ", options.workers - 1,
                                                   " for ", options.workers, " workers"));
  }
  if (options.port < 0 || options.port > 65535 || (options.port == 0 && options.rank != 0)) {
    return absl::InvalidArgumentError(absl::StrCat("port is ", options.port, ", expected 1 to 65535"));
  }
  return absl::OkStatus();
}

}  // namespace

absl::StatusOr<std::unique_ptr<WorkerGroup>> JoinWorkers(const JoinOptions& options) {
  RETURN_IF_ERROR(CheckOptions(options));
  ASSIGN_OR_RETURN(const std::string address, AddressTowards(options.host));
  const milliseconds join_timeout(absl::ToInt64Milliseconds(options.join_timeout));
  const std::string where = absl::StrCat(options.host, ":", options.port);
  c10::intrusive_ptr<c10d::TCPStore> store;
  try {
    c10d::TCPStoreOptions store_options;
    store_options.port = static_cast<uint16_t>(options.port);
    store_options.isServer = options.rank == 0;
    store_options.numWorkers = options.workers;
    store_options.waitWorkers = false;
    store_options.timeout = join_timeout;
    store = c10::make_intrusive<c10d::TCPStore>(options.host, store_options);
  } catch (const std::exception& error) {
    return absl::UnavailableError(
        absl::StrCat(where, options.rank == 0 ? ": cannot listen: " : ": no worker 0 there: ", Reason(error)));
  }
  if (options.prepare) RETURN_IF_ERROR(options.prepare(store->getPort()));
  try {
    auto gloo = c10d::ProcessGroupGloo::Options::create(join_timeout);
    gloo->devices.push_back(c10d::ProcessGroupGloo::createDeviceForHostname(address));
    gloo->threads = 1;
    auto group = c10::make_intrusive<c10d::ProcessGroupGloo>(store, options.rank, options.workers, gloo);
    // The first call connects those who are not yet, so that the timeout of a join ends here.
    auto joined = std::make_unique<GlooGroup>(store, group);
    RETURN_IF_ERROR(joined->Sum(at::zeros({1})));
    group->setTimeout(milliseconds(absl::ToInt64Milliseconds(options.timeout)));
    return joined;
  } catch (const std::exception& error) {
    return absl::UnavailableError(absl::StrCat("not all of ", options.workers, " workers met at ", where, " in ",
                                               absl::FormatDuration(options.join_timeout), ": ", Reason(error)));
  }
}

}  // namespace ddsp::training
