#pragma once
// Everything Herald has: processes and supervisors (runtime), topics (pubsub), resources and stores (resources).
// It lives with the resources because they are the top floor; include one module's own header to pay for less.

#include <herald/pubsub.hpp>
#include <herald/resources.hpp>
#include <herald/runtime.hpp>
