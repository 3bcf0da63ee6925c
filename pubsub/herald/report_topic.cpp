#include <herald/report_topic.hpp>

#include <herald/application.hpp>
#include <herald/bus.hpp>
#include <herald/engine/fan_out.hpp>

namespace herald {

void publish_reports(application& app) {
  app.add_sink([to = bus{app}.topic(reports_topic).value()](const report& r) {
    // Nobody is its publisher, whichever process the report arose in.
    if (engine::wanted(to.inside())) engine::publish(to.inside(), engine::make_published(report{r}), {}, true, false);
  });
}

}  // namespace herald
