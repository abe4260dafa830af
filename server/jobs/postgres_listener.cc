#include "server/jobs/postgres_listener.h"

#include <exception>
#include <pqxx/pqxx>
#include <utility>

#include "absl/time/clock.h"

namespace ddsp::server {
namespace {

class Receiver : public pqxx::notification_receiver {
 public:
  Receiver(pqxx::connection& connection, ChangeHub* hub)
      : pqxx::notification_receiver(connection, kPostgresChannel), hub_(hub) {}
  void operator()(const std::string& payload, int) override { hub_->Publish(payload); }

 private:
  ChangeHub* const hub_;
};

}  // namespace

PostgresListener::PostgresListener(std::string connection, absl::Duration poll, ChangeHub* hub)
    : connection_(std::move(connection)), poll_(poll), hub_(hub), thread_([this] { Run(); }) {}

PostgresListener::~PostgresListener() {
  ending_ = true;
  thread_.join();
}

void PostgresListener::Run() {
  while (!ending_) {
    try {
      Listen();
    } catch (const std::exception&) {
      // The database is away; calls say so. Here it is awaited.
      absl::SleepFor(poll_);
    }
  }
}

void PostgresListener::Listen() {
  pqxx::connection connection(connection_);
  Receiver receiver(connection, hub_);
  hub_->Publish("");
  while (!ending_) connection.await_notification(0, static_cast<long>(absl::ToInt64Microseconds(poll_)));
}

}  // namespace ddsp::server
