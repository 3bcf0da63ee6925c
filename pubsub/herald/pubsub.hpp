#pragma once
// The pubsub module: topics, buses, subscriptions.

#include <herald/bus.hpp>
#include <herald/gap.hpp>
#include <herald/policy.hpp>
#include <herald/pubsub_error.hpp>
#include <herald/report_topic.hpp>
#include <herald/subscription.hpp>
#include <herald/subscription_options.hpp>
#include <herald/topic.hpp>
#include <herald/topic_options.hpp>
#include <herald/typed_topic.hpp>
