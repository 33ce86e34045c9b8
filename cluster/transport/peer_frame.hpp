#pragma once

#include <caf/all.hpp>

#include <cstddef>
#include <cstdint>
#include <string>

namespace tobit::cluster {

/// The only message that CAF carries between nodes, as `peer_frame`; everything else is inside `bytes`. Frozen: CAF
/// sends the type's name and no field tags, so a change is a new type beside this one.
struct peer_frame {
  std::uint16_t version = 1;
  std::uint8_t kind = 0; ///< a `frame_kind`; unknown ones are ignored
  std::string bytes;
};

enum class frame_kind : std::uint8_t {
  opening,      ///< first in both directions: the link's key
  whole,        ///< a frame
  piece,        ///< part of a frame, more follows
  last_piece,   ///< the end of a frame
  acknowledged, ///< how many bytes the sender of this has handled since the link began, as decimal text
};

template <class Inspector>
typename Inspector::result_type inspect(Inspector& f, peer_frame& x) {
  return f(caf::meta::type_name("peer_frame"), x.version, x.kind, x.bytes);
}

/// Frames longer than this are sent in pieces, so that heartbeats pass between them.
inline constexpr std::size_t piece_max = 256u << 10;

} // namespace tobit::cluster

CAF_BEGIN_TYPE_ID_BLOCK(tobit_cluster_links, caf::first_custom_type_id)
CAF_ADD_TYPE_ID(tobit_cluster_links, (tobit::cluster::peer_frame))
CAF_END_TYPE_ID_BLOCK(tobit_cluster_links)
