package metrics

import (
	"strconv"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/plinthdb/plinth/kv"
)

// Collector is a prometheus.Collector of one database. It may be used by several
// registries, and after the database was closed.
type Collector struct {
	db      *kv.Database
	numbers []number
	splits  []split
	latency []histogram
}

var _ prometheus.Collector = (*Collector)(nil)

// number is a metric of one value.
type number struct {
	desc   *prometheus.Desc
	typ    prometheus.ValueType
	labels []string // values
	value  func(*kv.Stats) float64
}

// split is a counter split up by error number.
type split struct {
	desc  *prometheus.Desc
	value func(*kv.Stats) map[int]uint64
}

// histogram is a metric of latencies.
type histogram struct {
	desc   *prometheus.Desc
	labels []string // values
	value  func(*kv.Stats) *kv.Latencies
}

// NewCollector returns a collector of db, whose series have the label database
// with the value name.
func NewCollector(db *kv.Database, name string) *Collector {
	c := &Collector{db: db}
	desc := func(metric, help string, labels ...string) *prometheus.Desc {
		return prometheus.NewDesc("plinth_client_"+metric, help, labels, prometheus.Labels{"database": name})
	}
	c.addNumbers(desc)
	c.addOutcomes(desc("transactions_total", "Transactions that have ended, by how.", "outcome"))
	c.splits = []split{
		{desc("transaction_failures_total", "Transactions that have failed, by error number; 0 is errors that are not the store's.", "error"),
			func(s *kv.Stats) map[int]uint64 { return s.Failures }},
		{desc("transaction_retries_total", "Further tries of transactions, by the number of the error that caused them.", "error"),
			func(s *kv.Stats) map[int]uint64 { return s.Retries }},
	}
	c.latency = []histogram{
		{desc("transaction_duration_seconds", "Transactions from beginning to end, with all tries."), nil,
			func(s *kv.Stats) *kv.Latencies { return &s.Transaction }},
		{desc("hot_key_wait_seconds", "Waits of transactions for their turn at a hot key."), nil,
			func(s *kv.Stats) *kv.Latencies { return &s.HotKeyWait }},
	}
	c.addCalls(desc("call_duration_seconds", "Calls of the store, by kind.", "call"))
	return c
}

// addNumbers adds the metrics of one value without labels.
func (c *Collector) addNumbers(desc func(metric, help string, labels ...string) *prometheus.Desc) {
	counter := func(metric, help string, value func(*kv.Stats) uint64) {
		c.numbers = append(c.numbers, number{desc(metric, help), prometheus.CounterValue, nil,
			func(s *kv.Stats) float64 { return float64(value(s)) }})
	}
	gauge := func(metric, help string, value func(*kv.Stats) int) {
		c.numbers = append(c.numbers, number{desc(metric, help), prometheus.GaugeValue, nil,
			func(s *kv.Stats) float64 { return float64(value(s)) }})
	}
	counter("transactions_started_total", "Transactions that were begun.", func(s *kv.Stats) uint64 { return s.Started })
	counter("conflicts_total", "Commits refused since something that they read was changed.", func(s *kv.Stats) uint64 { return s.Conflicts })
	counter("too_old_total", "Calls refused since their version was too old.", func(s *kv.Stats) uint64 { return s.TooOld })
	counter("lost_answers_total", "Commits that had to be looked for.", func(s *kv.Stats) uint64 { return s.LostAnswers })
	counter("unknown_results_total", "Commits of which nobody knows what became.", func(s *kv.Stats) uint64 { return s.Unknown })
	counter("keys_read_total", "Keys that the store was asked for one by one.", func(s *kv.Stats) uint64 { return s.KeysRead })
	counter("rows_read_total", "Rows of ranges that the store sent.", func(s *kv.Stats) uint64 { return s.RowsRead })
	counter("read_bytes_total", "Values that the store sent, and keys of rows.", func(s *kv.Stats) uint64 { return s.BytesRead })
	counter("written_bytes_total", "Mutations that were committed, as encoded.", func(s *kv.Stats) uint64 { return s.BytesWritten })
	gauge("hot_keys", "Keys that transactions line up for.", func(s *kv.Stats) int { return s.HotKeys })
	gauge("watches", "Watches outstanding.", func(s *kv.Stats) int { return s.Watches })
}

// addOutcomes adds the counters of transactions that have ended.
func (c *Collector) addOutcomes(desc *prometheus.Desc) {
	add := func(outcome string, value func(*kv.Stats) uint64) {
		c.numbers = append(c.numbers, number{desc, prometheus.CounterValue, []string{outcome},
			func(s *kv.Stats) float64 { return float64(value(s)) }})
	}
	add("committed", func(s *kv.Stats) uint64 { return s.Committed })
	add("read_only", func(s *kv.Stats) uint64 { return s.ReadOnly })
	add("failed", func(s *kv.Stats) uint64 { return s.Failed })
}

// addCalls adds the latencies of calls.
func (c *Collector) addCalls(desc *prometheus.Desc) {
	add := func(kind string, value func(*kv.Stats) *kv.Latencies) {
		c.latency = append(c.latency, histogram{desc, []string{kind}, value})
	}
	add("read_version", func(s *kv.Stats) *kv.Latencies { return &s.ReadVersion })
	add("get", func(s *kv.Stats) *kv.Latencies { return &s.Get })
	add("get_range", func(s *kv.Stats) *kv.Latencies { return &s.GetRange })
	add("get_key", func(s *kv.Stats) *kv.Latencies { return &s.GetKey })
	add("commit", func(s *kv.Stats) *kv.Latencies { return &s.Commit })
}

// Describe implements prometheus.Collector.
func (c *Collector) Describe(out chan<- *prometheus.Desc) {
	for _, n := range c.numbers {
		out <- n.desc
	}
	for _, s := range c.splits {
		out <- s.desc
	}
	for _, h := range c.latency {
		out <- h.desc
	}
}

// Collect implements prometheus.Collector.
func (c *Collector) Collect(out chan<- prometheus.Metric) {
	stats := c.db.Stats()
	for _, n := range c.numbers {
		out <- prometheus.MustNewConstMetric(n.desc, n.typ, n.value(&stats), n.labels...)
	}
	for _, s := range c.splits {
		for code, n := range s.value(&stats) {
			out <- prometheus.MustNewConstMetric(s.desc, prometheus.CounterValue, float64(n), strconv.Itoa(code))
		}
	}
	for _, h := range c.latency {
		count, buckets := cumulative(h.value(&stats))
		out <- prometheus.MustNewConstHistogram(h.desc, count, h.value(&stats).Sum.Seconds(), buckets, h.labels...)
	}
}

// cumulative returns the counts as Prometheus has them: of all durations up to a
// bound, in seconds.
func cumulative(l *kv.Latencies) (count uint64, buckets map[float64]uint64) {
	buckets = make(map[float64]uint64, len(l.Counts))
	last := len(l.Counts) - 1
	for i, n := range l.Counts[:last] {
		count += n
		buckets[kv.LatencyBound(i).Seconds()] = count
	}
	return count + l.Counts[last], buckets
}
