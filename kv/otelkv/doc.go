// Package otelkv hands the spans of a database's transactions to OpenTelemetry.
//
//	db, store, err := embedded.Open(dir,
//		embedded.WithDatabaseOptions(kv.WithTracer(otelkv.NewTracer(provider))))
//
// Each transaction is a span below that of its context, and each call of the
// store one below the transaction's; kv.WithTracer lists their names and
// attributes. In addition all have the kind client and the attribute
// db.system.name; a failed one has the status error and error.type: the name of
// the store's error, such as not_committed, or the Go type of another one.
//
// It is a module of its own, so that a program that wants no traces does not
// download OpenTelemetry. While Plinth is not published, a go.mod needs a replace
// line for this module beside that for Plinth.
//
// Invariants:
//
//	O1  No key, no value and no text of an error gets into a span: an error may
//	    quote a key.
//	O2  A transaction that the provider does not sample leaves no span at all, and
//	    neither do its calls.
package otelkv
