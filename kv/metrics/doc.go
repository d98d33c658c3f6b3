// Package metrics offers what a database of kv has done to Prometheus.
//
//	registry.MustRegister(metrics.NewCollector(db, "orders"))
//
// It is a package of its own so that who uses kv alone links no Prometheus. The
// numbers are those of kv.Stats, read at each scrape, so a database that nobody
// scrapes pays nothing for it. All names begin with plinth_client_, all series
// have the label database.
//
// Invariants:
//
//	M1  A collector reads one database and keeps nothing, so two databases never
//	    mix: the labels tell them apart, and a registry refuses two collectors
//	    of the same name.
//	M2  Counters never fall, and no label's values are without a bound.
package metrics
