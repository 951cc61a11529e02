// Runs scenarios of windows on Flink's own operators, under Flink's operator test harness, and writes what comes out.
// README.md beside this file says how to run it and what the files look like.
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Collections;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Queue;
import java.util.concurrent.TimeUnit;
import org.apache.flink.api.common.functions.AggregateFunction;
import org.apache.flink.api.common.functions.CoGroupFunction;
import org.apache.flink.api.common.functions.JoinFunction;
import org.apache.flink.api.common.functions.ReduceFunction;
import org.apache.flink.api.common.serialization.SerializerConfigImpl;
import org.apache.flink.api.common.state.ValueState;
import org.apache.flink.api.common.state.ValueStateDescriptor;
import org.apache.flink.api.common.typeinfo.TypeInformation;
import org.apache.flink.api.common.typeinfo.Types;
import org.apache.flink.api.java.functions.KeySelector;
import org.apache.flink.api.java.tuple.Tuple3;
import org.apache.flink.metrics.Counter;
import org.apache.flink.streaming.api.datastream.DataStream;
import org.apache.flink.streaming.api.datastream.KeyedStream;
import org.apache.flink.streaming.api.datastream.WindowedStream;
import org.apache.flink.streaming.api.environment.StreamExecutionEnvironment;
import org.apache.flink.streaming.api.functions.co.ProcessJoinFunction;
import org.apache.flink.streaming.api.functions.windowing.ProcessWindowFunction;
import org.apache.flink.streaming.api.functions.windowing.delta.DeltaFunction;
import org.apache.flink.streaming.api.operators.TwoInputStreamOperator;
import org.apache.flink.streaming.api.transformations.OneInputTransformation;
import org.apache.flink.streaming.api.transformations.TwoInputTransformation;
import org.apache.flink.streaming.api.watermark.Watermark;
import org.apache.flink.streaming.api.windowing.assigners.*;
import org.apache.flink.streaming.api.windowing.evictors.*;
import org.apache.flink.streaming.api.windowing.triggers.*;
import org.apache.flink.streaming.api.windowing.windows.GlobalWindow;
import org.apache.flink.streaming.api.windowing.windows.TimeWindow;
import org.apache.flink.streaming.api.windowing.windows.Window;
import org.apache.flink.streaming.runtime.streamrecord.StreamRecord;
import org.apache.flink.streaming.runtime.tasks.TestProcessingTimeService;
import org.apache.flink.streaming.util.AbstractStreamOperatorTestHarness;
import org.apache.flink.streaming.util.KeyedOneInputStreamOperatorTestHarness;
import org.apache.flink.streaming.util.KeyedTwoInputStreamOperatorTestHarness;
import org.apache.flink.util.Collector;
import org.apache.flink.util.OutputTag;
import org.apache.flink.util.TaggedUnion;

public class WindowTranscripts {
  /** The clock's origin: times of windows on processing time are written relative to it. */
  static final long ORIGIN = 1767225600000L;

  static final TypeInformation<Tuple3<String, Long, Long>> RECORD = Types.TUPLE(Types.STRING, Types.LONG, Types.LONG);
  static final OutputTag<Tuple3<String, Long, Long>> LATE = new OutputTag<>("late", RECORD);
  static final OutputTag<Tuple3<String, Long, Long>> LATE_LEFT = new OutputTag<>("late left", RECORD);
  static final OutputTag<Tuple3<String, Long, Long>> LATE_RIGHT = new OutputTag<>("late right", RECORD);

  static class Scenario {
    String name;
    final Map<String, String> settings = new HashMap<>();
    final List<String> input = new ArrayList<>();

    String get(String setting) {
      return settings.getOrDefault(setting, "");
    }

    boolean onClock() {
      return get("window").contains(" clock ");
    }

    long origin() {
      return onClock() ? ORIGIN : 0;
    }
  }

  /** The words of a setting, taken one after the other. */
  static class Words {
    final String[] words;
    int at = 0;

    Words(String text) {
      words = text.trim().split("\\s+");
    }

    boolean more() {
      return at < words.length && !words[at].isEmpty();
    }

    String next() {
      return words[at++];
    }

    long number() {
      return Long.parseLong(next());
    }

    boolean take(String word) {
      if (!more() || !words[at].equals(word)) return false;
      ++at;
      return true;
    }
  }

  static Duration ms(long ms) {
    return Duration.ofMillis(ms);
  }

  static class Text<W extends Window> {
    static String of(Window window, long origin) {
      if (!(window instanceof TimeWindow)) return "";
      TimeWindow time = (TimeWindow) window;
      return " in " + (time.getStart() - origin) + ".." + (time.getEnd() - origin);
    }
  }

  static class ListElements<K, W extends Window> extends ProcessWindowFunction<Tuple3<String, Long, Long>, String, K, W> {
    final long origin;
    final boolean all;

    ListElements(long origin, boolean all) {
      this.origin = origin;
      this.all = all;
    }

    @Override
    public void process(K key, Context context, Iterable<Tuple3<String, Long, Long>> elements, Collector<String> out) {
      StringBuilder text = new StringBuilder((all ? "all" : key) + ":");
      for (Tuple3<String, Long, Long> element : elements) text.append(' ').append(element.f1);
      out.collect(text + Text.of(context.window(), origin));
    }
  }

  static class CountFirings<W extends Window> extends ProcessWindowFunction<Tuple3<String, Long, Long>, String, String, W> {
    final long origin;
    final ValueStateDescriptor<Long> firings = new ValueStateDescriptor<>("firings", Long.class);
    // One descriptor for both would be one state in Flink, of the window or the key that was asked for last.
    final ValueStateDescriptor<Long> firingsOfKey = new ValueStateDescriptor<>("firings of the key", Long.class);
    final ValueStateDescriptor<Long> cleared = new ValueStateDescriptor<>("cleared", Long.class);

    CountFirings(long origin) {
      this.origin = origin;
    }

    static long get(ValueState<Long> state) throws Exception {
      return state.value() == null ? 0 : state.value();
    }

    @Override
    public void process(String key, Context context, Iterable<Tuple3<String, Long, Long>> elements, Collector<String> out) throws Exception {
      ValueState<Long> ofWindow = context.windowState().getState(firings);
      ValueState<Long> ofKey = context.globalState().getState(firingsOfKey);
      ofWindow.update(get(ofWindow) + 1);
      ofKey.update(get(ofKey) + 1);
      out.collect(key + ": firing " + ofWindow.value() + " of the window, " + ofKey.value() + " of the key, "
          + get(context.globalState().getState(cleared)) + " cleared" + Text.of(context.window(), origin));
    }

    @Override
    public void clear(Context context) throws Exception {
      context.windowState().getState(firings).clear();
      ValueState<Long> gone = context.globalState().getState(cleared);
      gone.update(get(gone) + 1);
    }
  }

  static class Mean implements AggregateFunction<Tuple3<String, Long, Long>, long[], String> {
    @Override
    public long[] createAccumulator() {
      return new long[2];
    }

    @Override
    public long[] add(Tuple3<String, Long, Long> value, long[] acc) {
      return new long[] {acc[0] + value.f1, acc[1] + 1};
    }

    @Override
    public String getResult(long[] acc) {
      return acc[0] + "/" + acc[1];
    }

    @Override
    public long[] merge(long[] a, long[] b) {
      return new long[] {a[0] + b[0], a[1] + b[1]};
    }
  }

  static class WithWindow<W extends Window> extends ProcessWindowFunction<String, String, String, W> {
    final long origin;

    WithWindow(long origin) {
      this.origin = origin;
    }

    @Override
    public void process(String key, Context context, Iterable<String> elements, Collector<String> out) {
      out.collect(key + ": " + elements.iterator().next() + Text.of(context.window(), origin));
    }
  }

  static DeltaFunction<Tuple3<String, Long, Long>> delta() {
    return (a, b) -> (double) (b.f1 - a.f1);
  }

  @SuppressWarnings({"unchecked", "rawtypes"})
  static WindowAssigner assigner(Words words) {
    String kind = words.next();
    if (kind.equals("global")) return GlobalWindows.create();
    boolean event = words.next().equals("event");
    if (kind.equals("session")) {
      if (words.take("dynamic")) {
        SessionWindowTimeGapExtractor<Tuple3<String, Long, Long>> gap = record -> record.f2;
        return event ? EventTimeSessionWindows.withDynamicGap(gap) : ProcessingTimeSessionWindows.withDynamicGap(gap);
      }
      Duration gap = ms(words.number());
      return event ? EventTimeSessionWindows.withGap(gap) : ProcessingTimeSessionWindows.withGap(gap);
    }
    Duration size = ms(words.number());
    Duration slide = kind.equals("sliding") ? ms(words.number()) : null;
    Duration offset = words.take("offset") ? ms(words.number()) : ms(0);
    if (kind.equals("sliding"))
      return event ? SlidingEventTimeWindows.of(size, slide, offset) : SlidingProcessingTimeWindows.of(size, slide, offset);
    if (!kind.equals("tumbling")) throw new IllegalArgumentException("assigner " + kind);
    return event ? TumblingEventTimeWindows.of(size, offset) : TumblingProcessingTimeWindows.of(size, offset);
  }

  @SuppressWarnings({"unchecked", "rawtypes"})
  static Trigger trigger(Words words) {
    String kind = words.next();
    switch (kind) {
      case "event":
        return EventTimeTrigger.create();
      case "clock":
        return ProcessingTimeTrigger.create();
      case "never":
        return new GlobalWindows.NeverTrigger();
      case "count":
        return CountTrigger.of(words.number());
      case "delta":
        return DeltaTrigger.of(words.number(), delta(), RECORD.createSerializer(new SerializerConfigImpl()));
      case "continuous-event":
        return ContinuousEventTimeTrigger.of(ms(words.number()));
      case "continuous-clock":
        return ContinuousProcessingTimeTrigger.of(ms(words.number()));
      case "purging":
        return PurgingTrigger.of(trigger(words));
      case "timeout": {
        Duration timeout = ms(words.number());
        boolean reset = words.take("reset");
        boolean keep = words.take("keep");
        return ProcessingTimeoutTrigger.of(trigger(words), timeout, reset, !keep);
      }
      default:
        throw new IllegalArgumentException("trigger " + kind);
    }
  }

  @SuppressWarnings("rawtypes")
  static Evictor evictor(Words words) {
    String kind = words.next();
    long bound = words.number();
    boolean after = words.take("after");
    if (kind.equals("count")) return CountEvictor.of(bound, after);
    if (kind.equals("time")) return TimeEvictor.of(ms(bound), after);
    if (!kind.equals("delta")) throw new IllegalArgumentException("evictor " + kind);
    return DeltaEvictor.of((double) bound, delta(), after);
  }

  @SuppressWarnings({"unchecked", "rawtypes"})
  static DataStream<?> windowed(Scenario scenario, KeyedStream<Tuple3<String, Long, Long>, ?> keyed, boolean all) {
    Words words = new Words(scenario.get("window"));
    WindowedStream stream;
    if (words.take("count")) {
      long size = words.number();
      stream = words.more() ? keyed.countWindow(size, words.number()) : keyed.countWindow(size);
    } else {
      stream = keyed.window(assigner(words));
    }
    if (!scenario.get("trigger").isEmpty()) stream = stream.trigger(trigger(new Words(scenario.get("trigger"))));
    if (!scenario.get("evictor").isEmpty()) stream = stream.evictor(evictor(new Words(scenario.get("evictor"))));
    if (!scenario.get("lateness").isEmpty()) stream = stream.allowedLateness(ms(Long.parseLong(scenario.get("lateness"))));
    if (scenario.get("late").equals("side output")) stream = stream.sideOutputLateData(LATE);
    long origin = scenario.origin();
    switch (scenario.get("function")) {
      case "":
      case "list":
        return stream.process(new ListElements(origin, all), Types.STRING);
      case "sum":
        return stream.sum(1);
      case "min":
        return stream.min(1);
      case "max":
        return stream.max(1);
      case "minBy":
        return stream.minBy(1);
      case "maxBy":
        return stream.maxBy(1, false);
      case "reduce":
        return stream.reduce((ReduceFunction<Tuple3<String, Long, Long>>) (a, b) -> Tuple3.of(a.f0, a.f1 * 10 + b.f1, a.f2));
      case "mean":
        return stream.aggregate(new Mean(), Types.PRIMITIVE_ARRAY(Types.LONG), Types.STRING);
      case "mean and window":
        return stream.aggregate(new Mean(), new WithWindow(origin), Types.PRIMITIVE_ARRAY(Types.LONG), Types.STRING, Types.STRING);
      case "state":
        return stream.process(new CountFirings(origin), Types.STRING);
      default:
        throw new IllegalArgumentException("function " + scenario.get("function"));
    }
  }

  /** A line of input: [left|right] KEY VALUE [EXTRA] [@ TIME]. */
  static class Line {
    boolean right;
    Tuple3<String, Long, Long> record;
    Long at;

    Line(String text) {
      String[] sides = text.split("@");
      Words words = new Words(sides[0]);
      if (words.take("right")) right = true;
      else words.take("left");
      record = Tuple3.of(words.next(), words.number(), words.more() ? words.number() : 1L);
      if (sides.length > 1) at = Long.parseLong(sides[1].trim());
    }
  }

  interface Feed {
    void record(Line line) throws Exception;

    void watermark(String side, long time) throws Exception;
  }

  static String record(Object value, boolean all) {
    if (!(value instanceof Tuple3)) return String.valueOf(value);
    Tuple3<?, ?, ?> record = (Tuple3<?, ?, ?>) value;
    return (all ? "all" : record.f0) + ": " + record.f1 + " (" + record.f2 + ")";
  }

  static String time(StreamRecord<?> record, Scenario scenario) {
    if (!record.hasTimestamp()) return "";
    return " @ " + (record.getTimestamp() == Long.MAX_VALUE ? "max" : String.valueOf(record.getTimestamp() - scenario.origin()));
  }

  static void late(AbstractStreamOperatorTestHarness<?> harness, OutputTag<Tuple3<String, Long, Long>> tag, Scenario scenario, List<String> out) {
    Queue<StreamRecord<Tuple3<String, Long, Long>>> queue = harness.getSideOutput(tag);
    if (queue == null) return;
    for (StreamRecord<Tuple3<String, Long, Long>> record; (record = queue.poll()) != null; )
      out.add("  " + tag.getId() + "> " + record(record.getValue(), false) + time(record, scenario));
  }

  static void play(Scenario scenario, AbstractStreamOperatorTestHarness<?> harness, boolean all, Feed feed, List<String> out) throws Exception {
    harness.setProcessingTime(ORIGIN);
    harness.open();
    for (String text : scenario.input) {
      out.add(text);
      Words words = new Words(text);
      String side = words.take("left") ? "left" : words.take("right") ? "right" : "";
      if (words.take("watermark")) {
        feed.watermark(side, words.number());
      } else if (words.take("end")) {
        feed.watermark(side, Long.MAX_VALUE);
      } else if (words.take("clock")) {
        setClock(harness, ORIGIN + words.number());
      } else {
        feed.record(new Line(text));
      }
      for (Object element; (element = harness.getOutput().poll()) != null; ) {
        if (element instanceof StreamRecord) {
          StreamRecord<?> record = (StreamRecord<?>) element;
          out.add("  " + record(record.getValue(), all) + time(record, scenario));
        }
      }
      late(harness, LATE, scenario, out);
      late(harness, LATE_LEFT, scenario, out);
      late(harness, LATE_RIGHT, scenario, out);
    }
  }

  /** As the clock of a real job: a timer is called when its millisecond is over. */
  static void setClock(AbstractStreamOperatorTestHarness<?> harness, long now) throws Exception {
    harness.setProcessingTime(now - 1);
    Object clock = field(TestProcessingTimeService.class, "clock").get(harness.getProcessingTimeService());
    java.lang.reflect.Method set = clock.getClass().getMethod("setCurrentTime", long.class, TimeUnit.class);
    set.setAccessible(true);
    set.invoke(clock, now, TimeUnit.MILLISECONDS);
  }

  static java.lang.reflect.Field field(Class<?> type, String name) throws Exception {
    for (Class<?> at = type; at != null; at = at.getSuperclass()) {
      try {
        java.lang.reflect.Field field = at.getDeclaredField(name);
        field.setAccessible(true);
        return field;
      } catch (NoSuchFieldException e) {
        // of the class above it, then
      }
    }
    throw new NoSuchFieldException(name);
  }

  static <T> StreamRecord<T> stamped(T value, Line line) {
    return line.at == null ? new StreamRecord<>(value) : new StreamRecord<>(value, line.at);
  }

  @SuppressWarnings({"unchecked", "rawtypes"})
  static void run(Scenario scenario, List<String> out) throws Exception {
    if (scenario.get("window").startsWith("cumulating")) {
      CumulateQueries.run(scenario, out);
      return;
    }
    StreamExecutionEnvironment env = StreamExecutionEnvironment.getExecutionEnvironment();
    KeySelector<Tuple3<String, Long, Long>, String> byName = record -> record.f0;
    DataStream<Tuple3<String, Long, Long>> first = env.fromCollection(List.of(Tuple3.of("a", 1L, 1L)), RECORD);
    DataStream<Tuple3<String, Long, Long>> second = env.fromCollection(List.of(Tuple3.of("a", 1L, 1L)), RECORD);
    String function = scenario.get("function");
    if (scenario.get("join").startsWith("interval")) {
      Words words = new Words(scenario.get("join"));
      words.next();
      var joined = first.keyBy(byName, Types.STRING).intervalJoin(second.keyBy(byName, Types.STRING)).between(ms(words.number()), ms(words.number()));
      while (words.more()) {
        String option = words.next();
        if (option.equals("lower-exclusive")) joined = joined.lowerBoundExclusive();
        else if (option.equals("upper-exclusive")) joined = joined.upperBoundExclusive();
        else if (option.equals("late-left")) joined = joined.sideOutputLeftLateData(LATE_LEFT);
        else if (option.equals("late-right")) joined = joined.sideOutputRightLateData(LATE_RIGHT);
        else throw new IllegalArgumentException(option);
      }
      DataStream<String> pairs = joined.process(new ProcessJoinFunction<Tuple3<String, Long, Long>, Tuple3<String, Long, Long>, String>() {
        @Override
        public void processElement(Tuple3<String, Long, Long> left, Tuple3<String, Long, Long> right, Context context, Collector<String> to) {
          to.collect(left.f0 + ": " + left.f1 + "-" + right.f1);
        }
      }, Types.STRING);
      TwoInputTransformation transformation = (TwoInputTransformation) pairs.getTransformation();
      try (var harness = new KeyedTwoInputStreamOperatorTestHarness<String, Tuple3<String, Long, Long>, Tuple3<String, Long, Long>, String>(
              (TwoInputStreamOperator) transformation.getOperator(), byName, byName, Types.STRING)) {
        play(scenario, harness, false, new Feed() {
          @Override
          public void record(Line line) throws Exception {
            if (line.right) harness.processElement2(stamped(line.record, line));
            else harness.processElement1(stamped(line.record, line));
          }

          @Override
          public void watermark(String side, long time) throws Exception {
            if (!side.equals("right")) harness.processWatermark1(new Watermark(time));
            if (!side.equals("left")) harness.processWatermark2(new Watermark(time));
          }
        }, out);
      }
      return;
    }
    boolean all = !scenario.get("all").isEmpty();
    boolean join = scenario.get("join").equals("pairs");
    boolean coGroup = scenario.get("join").equals("groups");
    DataStream<?> result;
    KeySelector key;
    TypeInformation keyType = Types.STRING;
    if (join || coGroup) {
      WindowAssigner windows = assigner(new Words(scenario.get("window")));
      Trigger trigger = scenario.get("trigger").isEmpty() ? null : trigger(new Words(scenario.get("trigger")));
      Evictor evictor = scenario.get("evictor").isEmpty() ? null : evictor(new Words(scenario.get("evictor")));
      if (join) {
        var stream = first.join(second).where(byName, Types.STRING).equalTo(byName, Types.STRING).window(windows);
        if (trigger != null) stream = stream.trigger(trigger);
        if (evictor != null) stream = stream.evictor(evictor);
        if (!scenario.get("lateness").isEmpty()) stream = stream.allowedLateness(ms(Long.parseLong(scenario.get("lateness"))));
        result = stream.apply((JoinFunction<Tuple3<String, Long, Long>, Tuple3<String, Long, Long>, String>) (a, b) -> a.f0 + ": " + a.f1 + "-" + b.f1, Types.STRING);
      } else {
        var stream = first.coGroup(second).where(byName, Types.STRING).equalTo(byName, Types.STRING).window(windows);
        if (trigger != null) stream = stream.trigger(trigger);
        if (evictor != null) stream = stream.evictor(evictor);
        if (!scenario.get("lateness").isEmpty()) stream = stream.allowedLateness(ms(Long.parseLong(scenario.get("lateness"))));
        result = stream.apply(new CoGroupFunction<Tuple3<String, Long, Long>, Tuple3<String, Long, Long>, String>() {
          @Override
          public void coGroup(Iterable<Tuple3<String, Long, Long>> left, Iterable<Tuple3<String, Long, Long>> right, Collector<String> to) {
            StringBuilder text = new StringBuilder();
            String name = "";
            for (Tuple3<String, Long, Long> record : left) {
              name = record.f0;
              text.append(' ').append(record.f1);
            }
            text.append(" |");
            for (Tuple3<String, Long, Long> record : right) {
              name = record.f0;
              text.append(' ').append(record.f1);
            }
            to.collect(name + ":" + text);
          }
        }, Types.STRING);
      }
      key = (KeySelector<TaggedUnion<Tuple3<String, Long, Long>, Tuple3<String, Long, Long>>, String>) union -> union.isOne() ? union.getOne().f0 : union.getTwo().f0;
    } else {
      KeySelector<Tuple3<String, Long, Long>, ?> selector = all ? record -> (byte) 0 : byName;
      key = selector;
      if (all) keyType = Types.BYTE;
      result = windowed(scenario, first.keyBy((KeySelector) selector, keyType), all);
    }
    OneInputTransformation transformation = (OneInputTransformation) result.getTransformation();
    try (var harness = new KeyedOneInputStreamOperatorTestHarness<Object, Object, Object>(transformation.getOperatorFactory(), key, keyType)) {
      play(scenario, harness, all, new Feed() {
        @Override
        public void record(Line line) throws Exception {
          Object value = line.record;
          if (join || coGroup) value = line.right ? TaggedUnion.two(line.record) : TaggedUnion.one(line.record);
          harness.processElement(stamped(value, line));
        }

        @Override
        public void watermark(String side, long time) throws Exception {
          harness.processWatermark(new Watermark(time));
        }
      }, out);
      long dropped = ((Counter) field(harness.getOperator().getClass(), "numLateRecordsDropped").get(harness.getOperator())).getCount();
      out.add("dropped: " + dropped);
    }
  }

  static List<Scenario> read(Path file) throws Exception {
    List<Scenario> scenarios = new ArrayList<>();
    for (String line : Files.readAllLines(file)) {
      if (line.isBlank() || line.startsWith("#")) continue;
      if (line.startsWith("  ")) {
        scenarios.get(scenarios.size() - 1).input.add(line.trim());
      } else {
        int colon = line.indexOf(':');
        String setting = line.substring(0, colon);
        if (setting.equals("scenario")) scenarios.add(new Scenario());
        Scenario scenario = scenarios.get(scenarios.size() - 1);
        if (setting.equals("scenario")) scenario.name = line.substring(colon + 1).trim();
        else scenario.settings.put(setting, line.substring(colon + 1).trim());
      }
    }
    return scenarios;
  }

  public static void main(String[] folders) throws Exception {
    for (String folder : folders) {
      List<Path> files = new ArrayList<>();
      try (var paths = Files.newDirectoryStream(Path.of(folder), "*.scenarios")) {
        for (Path path : paths) files.add(path);
      }
      Collections.sort(files);
      for (Path file : files) {
        List<String> out = new ArrayList<>();
        List<Scenario> scenarios = read(file);
        for (Scenario scenario : scenarios) {
          out.add("scenario: " + scenario.name);
          try {
            run(scenario, out);
          } catch (Throwable e) {
            throw new RuntimeException("scenario '" + scenario.name + "' of " + file, e);
          }
          out.add("");
        }
        Files.write(Path.of(file.toString().replace(".scenarios", ".transcripts")), out);
        System.out.println(file.getFileName() + ": " + scenarios.size() + " scenarios");
      }
    }
    System.exit(0);
  }
}
