#include "server/jobs/postgres_errors.h"

#include <exception>
#include <pqxx/pqxx>

#include "absl/strings/str_cat.h"
#include "absl/strings/strip.h"
#include "server/errors/errors.h"

namespace ddsp::server {

absl::Status CurrentPostgresError(const std::string& what) {
  const auto message = [&](const std::exception& error) {
    return absl::StrCat(what, ": ", absl::StripTrailingAsciiWhitespace(error.what()));
  };
  try {
    throw;
  } catch (const pqxx::broken_connection& error) {
    return MakeError(Reason::kJobStoreUnavailable, message(error));
  } catch (const pqxx::in_doubt_error& error) {
    return MakeError(Reason::kJobStoreUnavailable, message(error));
  } catch (const pqxx::disk_full& error) {
    return MakeError(Reason::kJobStoreFull, message(error));
  } catch (const pqxx::transaction_rollback& error) {  // deadlocks among them
    return MakeError(Reason::kJobStoreUnavailable, message(error));
  } catch (const pqxx::sql_error& error) {
    // 57P0x: the database is shutting down or starting.
    if (error.sqlstate().substr(0, 4) == "57P0") return MakeError(Reason::kJobStoreUnavailable, message(error));
    return absl::InternalError(message(error));
  } catch (const std::exception& error) {
    return absl::InternalError(message(error));
  }
}

}  // namespace ddsp::server
