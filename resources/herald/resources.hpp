#pragma once
// The resources module: described structs, their actions, stores, the log, and those who follow it.

#include <herald/actor.hpp>
#include <herald/authorise.hpp>
#include <herald/backup.hpp>
#include <herald/consumer.hpp>
#include <herald/dead_letters.hpp>
#include <herald/event.hpp>
#include <herald/json.hpp>
#include <herald/leased_transaction.hpp>
#include <herald/reference.hpp>
#include <herald/resource.hpp>
#include <herald/resource_error.hpp>
#include <herald/store.hpp>
#include <herald/store_statistics.hpp>
#include <herald/subscribe.hpp>
#include <herald/transaction.hpp>
#include <herald/uuid.hpp>
#include <herald/verify.hpp>
