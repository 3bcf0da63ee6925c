#pragma once
// The pubsub module: topics, buses, subscriptions.

#include <herald/adapter.hpp>
#include <herald/bus.hpp>
#include <herald/bus_options.hpp>
#include <herald/callback.hpp>
#include <herald/dispatcher.hpp>
#include <herald/gap.hpp>
#include <herald/group_policy.hpp>
#include <herald/interest.hpp>
#include <herald/loopback.hpp>
#include <herald/policy.hpp>
#include <herald/presence.hpp>
#include <herald/presence_view.hpp>
#include <herald/pubsub_error.hpp>
#include <herald/report_topic.hpp>
#include <herald/shared_event.hpp>
#include <herald/subscriber.hpp>
#include <herald/subscriber_per.hpp>
#include <herald/subscription.hpp>
#include <herald/subscription_options.hpp>
#include <herald/tapped.hpp>
#include <herald/topic.hpp>
#include <herald/topic_options.hpp>
#include <herald/topic_statistics.hpp>
#include <herald/typed_topic.hpp>
