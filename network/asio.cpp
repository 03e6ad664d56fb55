// The one translation unit that holds Boost.Asio's own code (BOOST_ASIO_SEPARATE_COMPILATION), so
// that no other file compiles it again.
#include <boost/asio/impl/src.hpp>
