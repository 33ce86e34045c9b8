#pragma once

#include <curl/curl.h>

#include <memory>

/// Owners of libcurl's objects.
namespace tobit::outbound {

template <auto Cleanup>
struct cleanup_with {
  template <class T>
  void operator()(T* handle) const noexcept {
    Cleanup(handle);
  }
};

using easy_handle = std::unique_ptr<CURL, cleanup_with<curl_easy_cleanup>>;
using multi_handle = std::unique_ptr<CURLM, cleanup_with<curl_multi_cleanup>>;
using url_handle = std::unique_ptr<CURLU, cleanup_with<curl_url_cleanup>>;
using header_list = std::unique_ptr<curl_slist, cleanup_with<curl_slist_free_all>>;

} // namespace tobit::outbound
