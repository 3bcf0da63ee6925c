#pragma once
// The runtime module: processes, supervisors, calls, timers, monitors, applications, simulation.

#include <herald/application.hpp>
#include <herald/child_spec.hpp>
#include <herald/clock.hpp>
#include <herald/context.hpp>
#include <herald/coroutine.hpp>
#include <herald/describe.hpp>
#include <herald/error.hpp>
#include <herald/exit_reason.hpp>
#include <herald/io_watch.hpp>
#include <herald/offload.hpp>
#include <herald/partition.hpp>
#include <herald/inspect.hpp>
#include <herald/operate.hpp>
#include <herald/process.hpp>
#include <herald/ref.hpp>
#include <herald/reply_to.hpp>
#include <herald/report.hpp>
#include <herald/simulation.hpp>
#include <herald/snapshot.hpp>
#include <herald/stop.hpp>
#include <herald/supervisor.hpp>
#include <herald/task.hpp>
#include <herald/task_many.hpp>
#include <herald/task_stream.hpp>
