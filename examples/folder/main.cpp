// A folder's files as resources: created, updated and destroyed as they change on the disk (inotify), with a search view that a
// durable consumer keeps up to date and that may be killed at any time.
//
//   folder              shows it on a folder of its own, and ends
//   folder PATH [DB]    follows PATH until Ctrl-C; with DB what it knows outlives the program

#include <herald/herald.hpp>
#include <atomic>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <semaphore>
#include <set>
#include <sstream>
#include <sys/inotify.h>
#include <unistd.h>

namespace fs = std::filesystem;

struct File {
  std::string name;
  std::string text;
};
struct Place {  // a word, and a file that it is in
  std::string word, file;
};

using namespace herald::dsl;
inline constexpr auto files = herald::resource<File>("files",
    attribute<&File::name>(primary_key),
    attribute<&File::text>(),
    create("see", accepts<&File::name, &File::text>, upsert(pkey)),
    destroy("lose"));
inline constexpr auto places = herald::resource<Place>("places",
    attribute<&Place::word>(primary_key), attribute<&Place::file>(primary_key),
    create("add", accepts<&Place::word, &Place::file>),
    destroy("drop"));

/// Tells the store what is in the folder. A life begins with a look at all of it, so that nothing is missed while nobody watches.
struct watcher : herald::process<watcher> {
  struct args { herald::store store; std::string folder; };
  watcher(herald::context& self, args a) : a_{std::move(a)}, fd_{::inotify_init1(IN_NONBLOCK | IN_CLOEXEC)} {
    if (::inotify_add_watch(fd_, a_.folder.c_str(), IN_CLOSE_WRITE | IN_MOVED_TO | IN_MOVED_FROM | IN_DELETE) < 0)
      self.fail(a_.folder + ": " + std::strerror(errno));
    if (!herald::watch_readable(self, fd_, [this](herald::context& here, const herald::io_ready&) { read(here); }, herald::io_repeat::always))
      self.fail("the folder cannot be watched");
    look_at_all(self);
  }
  ~watcher() { ::close(fd_); }

 private:
  void read(herald::context& self) {
    alignas(inotify_event) char buffer[16 * 1024];
    for (ssize_t got = 0; (got = ::read(fd_, buffer, sizeof buffer)) > 0;) {
      for (ssize_t at = 0; at < got;) {
        inotify_event happened{};
        std::memcpy(&happened, buffer + at, sizeof happened);
        if ((happened.mask & IN_Q_OVERFLOW) != 0) look_at_all(self);  // the kernel has dropped some
        if (happened.len != 0) look_at(self, buffer + at + sizeof happened);
        at += static_cast<ssize_t>(sizeof happened + happened.len);
      }
    }
  }
  void look_at_all(herald::context& self) {
    std::set<std::string> names;
    for (const auto& one : fs::directory_iterator{a_.folder}) names.insert(one.path().filename().string());
    for (const auto& known : a_.store.select<files>().value()) names.insert(known.name);
    for (const auto& name : names) look_at(self, name);
  }
  void look_at(herald::context& self, const std::string& name) {
    const auto path = fs::path{a_.folder} / name;
    const auto done = [name](herald::result<File> r) {
      if (!r && !r.is(herald::resource_errc::not_found)) std::fprintf(stderr, "%s: %s\n", name.c_str(), r.error().to_string().c_str());
    };
    std::error_code none;
    if (std::ifstream file{path, std::ios::binary}; file && fs::is_regular_file(path, none)) {
      std::ostringstream text;
      text << file.rdbuf();
      a_.store.run<files, "see">(self, field<&File::name> = name, field<&File::text> = text.str(), done);  // unchanged: no event
    } else {
      a_.store.run<files, "lose">(self, name, done);
    }
  }

  args a_;
  int fd_;
};

/// The search view. Each event's words are exchanged in one transaction with the cursor, so it may die at any moment.
struct indexer : herald::process<indexer, herald::event<files>> {
  struct args { herald::store store; };
  indexer(herald::context& self, args a)
      : work_{herald::subscribe<herald::event<files>>(self, a.store, herald::effectively_once("index")).value()} {}
  void on(const herald::event<files>& e) {
    work_.transact([before = words_of(e.before), after = words_of(e.after), name = e.row().name](herald::transaction& tx) -> herald::result<void> {
      for (const auto& word : before) {
        if (auto dropped = herald::run<places, "drop">(tx, herald::key(word, name)); !dropped) return dropped.error();
      }
      for (const auto& word : after) {
        if (auto added = herald::run<places, "add">(tx, field<&Place::word> = word, field<&Place::file> = name); !added) return added.error();
      }
      return {};
    });
  }

 private:
  static std::set<std::string> words_of(const File* file) {
    std::istringstream text{file == nullptr ? "" : file->text};
    return {std::istream_iterator<std::string>{text}, {}};
  }
  herald::consumer work_;
};

/// Prints what happens to files, and says how far the log was told.
struct narrator : herald::process<narrator, herald::any_event> {
  struct args { herald::store store; std::atomic<std::uint64_t>* told; std::counting_semaphore<>* moved; };
  narrator(herald::context& self, args a) : a_{a} { herald::subscribe<herald::any_event>(self, a_.store, herald::now).value(); }
  void on(const herald::any_event& e) {
    if (e->resource == &herald::table_of<files>) {
      std::printf("%s %s\n", std::string{to_string(e->kind)}.c_str(), e->key.to_string().c_str());
      std::fflush(stdout);
    }
    a_.told->store(e->at.sequence);
    a_.moved->release();
  }

 private:
  args a_;
};

int main(int argc, char** argv) {
  const std::vector<const herald::resource_table*> tables{&herald::table_of<files>, &herald::table_of<places>};
  auto store = argc > 2 ? herald::store::open(tables, herald::sqlite_options{.file = argv[2]}) : herald::store::open(tables, herald::memory_options{});
  if (!store) return std::fprintf(stderr, "%s\n", store.error().to_string().c_str()), 1;
  auto own = (fs::temp_directory_path() / "herald-folder-XXXXXX").string();
  const std::string folder = argc > 1 ? argv[1] : ::mkdtemp(own.data());
  std::atomic<std::uint64_t> told{0};
  std::counting_semaphore<> moved{0};
  herald::application app{{.name = "folder", .intensity = {10, std::chrono::seconds{60}}, .children = {store->writer(), store->notifier(),
      herald::child<narrator>("narrator", {*store, &told, &moved}), herald::child<indexer>("indexer", {*store}),
      herald::child<watcher>("watcher", {*store, folder})}}, {.sinks = {[](const herald::report&) {}}}};
  app.start();
  if (argc > 1) return app.run_until_signal();

  const auto names_in_folder = [&] { return static_cast<std::uint64_t>(std::distance(fs::directory_iterator{folder}, {})); };
  const auto found = [&](const char* word) {
    std::set<std::string> names;
    for (const auto& place : store->select<places>(field<&Place::word> == word).value()) names.insert(place.file);
    return names;
  };
  // Waits until the search says so, and all that led to it was told.
  const auto find = [&](const char* word, const std::set<std::string>& wanted) {
    while (store->count<files>().value() != names_in_folder() || found(word) != wanted || told != store->head().sequence) moved.acquire();
    std::printf("\"%s\" is in:", word);
    for (const auto& file : wanted) std::printf(" %s", file.c_str());
    std::printf("\n");
  };
  const auto write = [&](const char* name, const char* text) {  // whole, as an editor saves
    std::ofstream{folder + ".new"} << text;
    fs::rename(folder + ".new", fs::path{folder} / name);
  };
  write("ann.txt", "a herald tells news");
  find("herald", {"ann.txt"});
  write("bob.txt", "the herald ran");
  find("herald", {"ann.txt", "bob.txt"});
  app.kill("indexer").value();
  app.kill("watcher").value();
  write("ann.txt", "a cat tells nothing");
  find("herald", {"bob.txt"});
  fs::rename(fs::path{folder} / "bob.txt", fs::path{folder} / "eve.txt");
  find("herald", {"eve.txt"});
  fs::remove(fs::path{folder} / "eve.txt");
  find("herald", {});
  app.stop();
  fs::remove_all(folder);
}
