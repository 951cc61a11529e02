// Runs scenarios of cumulating windows as queries of Flink SQL, which alone has them: a whole job for each. Behind the
// query an operator notes the rows and watermarks that reach it; the rows in front of a watermark belong to the line of
// input that raised it. WindowTranscripts, which reads and writes the files, calls this.
import java.time.LocalDateTime;
import java.time.ZoneOffset;
import java.util.ArrayList;
import java.util.List;
import org.apache.flink.api.common.typeinfo.TypeInformation;
import org.apache.flink.api.common.typeinfo.Types;
import org.apache.flink.api.java.tuple.Tuple3;
import org.apache.flink.configuration.Configuration;
import org.apache.flink.core.execution.JobClient;
import org.apache.flink.metrics.Counter;
import org.apache.flink.metrics.Metric;
import org.apache.flink.runtime.testutils.InMemoryReporter;
import org.apache.flink.streaming.api.datastream.DataStream;
import org.apache.flink.streaming.api.environment.StreamExecutionEnvironment;
import org.apache.flink.streaming.api.functions.source.legacy.SourceFunction;
import org.apache.flink.streaming.api.operators.AbstractStreamOperator;
import org.apache.flink.streaming.api.operators.OneInputStreamOperator;
import org.apache.flink.streaming.api.watermark.Watermark;
import org.apache.flink.streaming.runtime.streamrecord.StreamRecord;
import org.apache.flink.table.api.DataTypes;
import org.apache.flink.table.api.Schema;
import org.apache.flink.table.api.Table;
import org.apache.flink.table.api.bridge.java.StreamTableEnvironment;
import org.apache.flink.types.Row;

class CumulateQueries {
  /** What reached the end of the job at hand: rows as text, watermarks as numbers. */
  static final List<Object> REACHED = new ArrayList<>();

  static class Input implements SourceFunction<Tuple3<String, Long, Long>> {
    final ArrayList<String> lines;

    Input(List<String> lines) {
      this.lines = new ArrayList<>(lines);
    }

    @Override
    public void run(SourceContext<Tuple3<String, Long, Long>> to) {
      for (String text : lines) {
        WindowTranscripts.Words words = new WindowTranscripts.Words(text);
        if (words.take("end")) return; // the last watermark comes with the end of the input
        if (words.take("watermark")) {
          to.emitWatermark(new Watermark(words.number()));
        } else {
          WindowTranscripts.Line line = new WindowTranscripts.Line(text);
          to.collectWithTimestamp(line.record, line.at);
        }
      }
    }

    @Override
    public void cancel() {}
  }

  static class Note extends AbstractStreamOperator<String> implements OneInputStreamOperator<Row, String> {
    @Override
    public void processElement(StreamRecord<Row> element) {
      Row row = element.getValue();
      String window = " in " + ms(row.getField(1)) + ".." + ms(row.getField(2));
      REACHED.add(row.getField(0) + ": " + row.getField(3) + "/" + row.getField(4) + window + " @ " + element.getTimestamp());
    }

    @Override
    public void processWatermark(Watermark mark) throws Exception {
      REACHED.add(mark.getTimestamp());
      super.processWatermark(mark);
    }
  }

  static long ms(Object time) {
    return ((LocalDateTime) time).toInstant(ZoneOffset.UTC).toEpochMilli();
  }

  static String interval(long ms) {
    return String.format("INTERVAL '%s%d.%03d' SECOND(6, 3)", ms < 0 ? "-" : "", Math.abs(ms) / 1000, Math.abs(ms) % 1000);
  }

  static String query(WindowTranscripts.Scenario scenario) {
    WindowTranscripts.Words words = new WindowTranscripts.Words(scenario.get("window"));
    if (!words.take("cumulating") || !words.take("event")) throw new IllegalArgumentException(scenario.get("window"));
    long size = words.number();
    long step = words.number();
    String offset = words.take("offset") ? ", " + interval(words.number()) : "";
    return "SELECT k, window_start, window_end, SUM(v), COUNT(*), window_time"
        + " FROM TABLE(CUMULATE(TABLE t, DESCRIPTOR(ts), " + interval(step) + ", " + interval(size) + offset + "))"
        + " GROUP BY window_start, window_end, window_time, k";
  }

  /** Rows and watermarks of the job, and how many late records it dropped. */
  static List<Object> execute(WindowTranscripts.Scenario scenario, String phases, long[] dropped) throws Exception {
    Configuration configuration = new Configuration();
    InMemoryReporter metrics = InMemoryReporter.createWithRetainedMetrics();
    metrics.addToConfiguration(configuration);
    StreamExecutionEnvironment env = StreamExecutionEnvironment.createLocalEnvironment(1, configuration);
    env.getConfig().setAutoWatermarkInterval(0); // a watermark at each record that raises it
    StreamTableEnvironment tables = StreamTableEnvironment.create(env);
    tables.getConfig().set("table.local-time-zone", "UTC");
    tables.getConfig().set("table.optimizer.agg-phase-strategy", phases);
    DataStream<Tuple3<String, Long, Long>> input = env.addSource(new Input(scenario.input), WindowTranscripts.RECORD);
    String bound = scenario.get("bound");
    Schema schema = Schema.newBuilder()
        .columnByExpression("k", "f0")
        .columnByExpression("v", "f1")
        .columnByMetadata("ts", DataTypes.TIMESTAMP_LTZ(3), "rowtime")
        .watermark("ts", bound.isEmpty() ? "SOURCE_WATERMARK()" : "ts - " + interval(Long.parseLong(bound)).replace("(6, 3)", ""))
        .build();
    tables.createTemporaryView("t", input, schema);
    REACHED.clear();
    tables.toDataStream(tables.sqlQuery(query(scenario))).transform("Note", Types.STRING, new Note()).sinkTo(
        new org.apache.flink.streaming.api.functions.sink.v2.DiscardingSink<>());
    JobClient job = env.executeAsync();
    job.getJobExecutionResult().get();
    var counters = metrics.findMetrics(job.getJobID(), ".*numLateRecordsDropped");
    if (counters.size() != 1) throw new IllegalStateException("late records are counted in " + counters.keySet());
    for (Metric counter : counters.values()) dropped[0] = ((Counter) counter).getCount();
    return new ArrayList<>(REACHED);
  }

  static void run(WindowTranscripts.Scenario scenario, List<String> out) throws Exception {
    long[] dropped = new long[2];
    List<Object> reached = execute(scenario, "ONE_PHASE", dropped);
    // With local aggregation in front, which is the default, the same comes out but late records are counted
    // otherwise, and windows that end before the epoch are lost.
    if (scenario.input.stream().noneMatch(text -> text.contains("@ -"))) {
      List<Object> inTwo = execute(scenario, "TWO_PHASE", new long[1]);
      if (!inTwo.equals(reached)) throw new IllegalStateException("in one phase " + reached + ", in two " + inTwo);
    }
    int next = 0;
    long highest = Long.MIN_VALUE;
    String bound = scenario.get("bound");
    long last = bound.isEmpty() ? Long.MIN_VALUE : 0; // watermark; those of SQL begin at the epoch
    for (String text : scenario.input) {
      out.add(text);
      WindowTranscripts.Words words = new WindowTranscripts.Words(text);
      long watermark = last;
      if (words.take("end")) {
        watermark = Long.MAX_VALUE;
      } else if (words.take("watermark")) {
        watermark = words.number();
      } else if (!bound.isEmpty()) {
        highest = Math.max(highest, new WindowTranscripts.Line(text).at);
        watermark = highest - Long.parseLong(bound);
      }
      if (watermark <= last) continue;
      last = watermark;
      if (!reached.subList(next, reached.size()).contains(watermark))
        throw new IllegalStateException("no watermark " + watermark + " in " + reached);
      for (; !Long.valueOf(watermark).equals(reached.get(next)); ++next) out.add("  " + reached.get(next));
      ++next;
    }
    if (next != reached.size()) throw new IllegalStateException("left over: " + reached.subList(next, reached.size()));
    out.add("dropped: " + dropped[0]);
  }
}
