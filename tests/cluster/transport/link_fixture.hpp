#pragma once

#include "cluster/transport/certificates.hpp"
#include "cluster/transport/peer_links.hpp"

#include <caf/all.hpp>

#include <chrono>
#include <condition_variable>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <functional>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

namespace tobit::testing {

using namespace std::chrono_literals;
using cluster::incarnation_no;

/// What one node's links told, in order; a test waits for it with a deadline.
class link_diary {
public:
  struct line {
    std::string what; ///< linked | unlinked | received | refused
    incarnation_no peer = 0;
    std::string text; ///< frame, or reason
    std::string sentence;
    std::chrono::steady_clock::time_point at;
  };

  cluster::link_events events() {
    return {[this](incarnation_no p) {
              write({"linked", p, {}, {}, {}});
            },
            [this](incarnation_no p) {
              write({"unlinked", p, {}, {}, {}});
            },
            [this](incarnation_no p, std::string frame) {
              write({"received", p, std::move(frame), {}, {}});
            },
            [this](const cluster::link_refusal& r) {
              write({"refused", 0, r.reason, r.sentence, {}});
            }};
  }

  void write(line l) {
    l.at = std::chrono::steady_clock::now();
    const std::lock_guard lock(mutex_);
    lines_.push_back(std::move(l));
    written_.notify_all();
  }

  /// Waits until `enough` says so of all lines.
  bool wait(const std::function<bool(const std::vector<line>&)>& enough, std::chrono::milliseconds limit = 10s) {
    std::unique_lock lock(mutex_);
    return written_.wait_for(lock, limit, [&] { return enough(lines_); });
  }
  /// Waits for the n-th line of this kind.
  bool wait_for(const std::string& what, incarnation_no peer, std::size_t n = 1,
                std::chrono::milliseconds limit = 10s) {
    return wait([&](const auto& lines) { return counted(lines, what, peer) >= n; }, limit);
  }
  bool wait_for_refusal(const std::string& reason, std::chrono::milliseconds limit = 10s) {
    return wait(
        [&](const auto& lines) {
          for (const auto& l : lines)
            if (l.what == "refused" && l.text == reason) return true;
          return false;
        },
        limit);
  }
  std::size_t count(const std::string& what, incarnation_no peer) {
    const std::lock_guard lock(mutex_);
    return counted(lines_, what, peer);
  }
  std::vector<line> lines() {
    const std::lock_guard lock(mutex_);
    return lines_;
  }
  std::string text() {
    std::string all;
    for (const auto& l : lines())
      all += l.what + " " + std::to_string(l.peer) + " " + l.text.substr(0, 60) + " " + l.sentence + "\n";
    return all;
  }

private:
  static std::size_t counted(const std::vector<line>& lines, const std::string& what, incarnation_no peer) {
    std::size_t n = 0;
    for (const auto& l : lines) n += l.what == what && l.peer == peer ? 1 : 0;
    return n;
  }
  std::mutex mutex_;
  std::condition_variable written_;
  std::vector<line> lines_;
};

/// Certificates of one cluster in a temporary folder.
class certificate_folder {
public:
  explicit certificate_folder(const std::string& cluster_id) : cluster_id_(cluster_id) {
    auto path = (std::filesystem::temp_directory_path() / "tobit-links-XXXXXX").string();
    folder_ = ::mkdtemp(path.data());
    authority_ = *cluster::make_authority(cluster_id, std::chrono::hours(24));
    write("authority.pem", authority_.certificate_pem);
  }
  ~certificate_folder() { std::filesystem::remove_all(folder_); }
  certificate_folder(const certificate_folder&) = delete;
  certificate_folder& operator=(const certificate_folder&) = delete;

  std::string authority_file() const { return folder_ / "authority.pem"; }
  /// Sets the files for this node, made when they are first asked for.
  void use(cluster::link_options& options, const std::string& node, std::chrono::hours valid = std::chrono::hours(24)) {
    const auto pair = *cluster::issue_certificate(authority_, cluster_id_, node, valid);
    options.authority_file = authority_file();
    options.certificate_file = write(node + ".pem", pair.certificate_pem);
    options.key_file = write(node + ".key", pair.key_pem);
  }
  const cluster::key_pair& authority() const { return authority_; }

private:
  std::string write(const std::string& name, const std::string& text) {
    std::ofstream(folder_ / name) << text;
    return folder_ / name;
  }
  std::string cluster_id_;
  std::filesystem::path folder_;
  cluster::key_pair authority_;
};

inline cluster::link_options quick_links() {
  cluster::link_options options;
  options.plain = true;
  options.heartbeat = 500ms;
  options.dial_first = 5ms;
  options.dial_most = 50ms;
  return options;
}

/// One node: its own actor system, links and diary.
struct link_node {
  explicit link_node(std::string node_name, const cluster::link_options& o = quick_links(),
                     const std::string& cluster_id = "c-1")
      : name(std::move(node_name)), options(o), config(o), system(config) {
    auto opened = cluster::open_peer_links(system, options, cluster_id, name, diary.events());
    if (opened)
      links = std::move(*opened);
    else
      failure = opened.error().message;
  }
  ~link_node() {
    if (links) links->stop();
  }

  void live_as(incarnation_no incarnation) {
    cluster::hello self;
    self.incarnation = incarnation;
    self.protocol_min = protocol_min;
    self.protocol_max = protocol_max;
    self.build = "test";
    links->greet_as(self);
    now = incarnation;
  }
  void connect(const link_node& other) { links->connect(other.now, other.name, other.links->address()); }

  struct settings : caf::actor_system_config {
    explicit settings(const cluster::link_options& o) {
      set("scheduler.policy", caf::atom("sharing"));
      set("scheduler.max-throughput", std::size_t{300});
      set("scheduler.max-threads", std::size_t{2});
      cluster::configure_links(*this, o);
    }
  };

  std::string name, failure;
  std::int64_t protocol_min = cluster::protocol_min, protocol_max = cluster::protocol_max;
  incarnation_no now = 0;
  cluster::link_options options;
  link_diary diary; // outlives the links
  settings config;
  caf::actor_system system;
  std::unique_ptr<cluster::peer_links> links;
};

/// Both want each other; true when both are linked.
inline bool join(link_node& a, link_node& b, std::size_t time = 1) {
  a.connect(b);
  b.connect(a);
  return a.diary.wait_for("linked", b.now, time) && b.diary.wait_for("linked", a.now, time);
}

} // namespace tobit::testing
