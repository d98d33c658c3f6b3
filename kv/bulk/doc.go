// Package bulk moves more than a transaction can hold: it loads any number of
// rows with many transactions at once, and scans any number of rows in parallel,
// for longer than the five seconds of a transaction.
//
//	progress, err := bulk.Load(ctx, db, rows, bulk.LoadOptions{})
//
//	scan := bulk.NewScan(db, kv.PrefixRange(prefix), bulk.ScanOptions{})
//	for row, err := range scan.Rows(ctx) { … }              // in key order, reading ahead
//	err := scan.Each(ctx, func(ctx context.Context, rows []kv.KeyValue) error { … })  // in parallel
//
// # Loading
//
// Load takes rows from an iterator and sets them, some hundred kilobytes in a
// transaction, several transactions at once. Write does the same with whatever a
// function writes for an item, such as a row of package typed with its indexes.
// Progress says how many rows from the first on are durable, so a load that was
// interrupted goes on behind them; rows that were written already do no harm
// when they are written again.
//
// A load is not atomic: others see its transactions come one after another. Load
// into keys that nobody reads yet where that matters.
//
// # Scanning
//
// A Scan splits its range where the store says that pieces of equal size begin,
// or by probing if it does not say. Workers read the pieces batch by batch. Rows
// shows all rows in key order, while the workers are ahead of it. Each hands
// batches to a function, from several goroutines and in no order.
//
// Each batch is read at one version, and later batches at later ones. So a row
// that nobody changes while the scan runs is shown exactly once. One that is
// changed is shown as it was at some time during the scan, and one that is
// written or cleared meanwhile may be shown or not. What needs all rows at one
// moment has to fit one transaction.
//
// A Scan knows what remains. It can be broken off at any time and continued: by
// calling Rows or Each again, or in another process by ResumeScan with its Token.
//
// # Invariants
//
//	L1  All rows before Progress.Rows are durable, whatever happens later.
//	L2  If a key is loaded several times, the last row wins, as if the rows were
//	    set one after the other.
//	L3  A scan that ends without an error has shown every row of its range that
//	    was there, unchanged, all the time: exactly once if it was never broken
//	    off, and else again only those of batches whose function had not
//	    returned nil, or the row at which a loop was left.
//	L4  Rows come in key order.
//	L5  The token covers every row that was not shown.
//	L6  Memory is bounded: twice the concurrency, and one, in batches.
//	L7  No goroutine outlives the call that started it.
package bulk
