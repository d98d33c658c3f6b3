// Package demo is the work behind "plinth demo": it puts a source tree with
// its indexes into a store, asks questions about it, moves money between
// accounts in a process that is killed in the middle, and proves that what was
// acknowledged is there.
//
//	report, err := demo.Run(ctx, demo.Config{Dir: dir, Source: source, ...}, ui)
//
// There are two sets of data, each with checks of its own:
//
//   - An Archive holds files: a record and the content of each, an index by
//     package (directory), an index by size, and totals per package. One
//     transaction writes all of them for a file.
//   - A Bank holds accounts and a record of every transfer. One transaction
//     changes both balances and writes the record under the transfer's id.
//
// The checks are functions from what is in the store, and what the demo knows
// from elsewhere, to a Check. Tests show for each that doctored data fails it.
//
// Invariants, which the checks look for:
//
//	D1  Every index row and total follows from a file's record, and every
//	    record has its index rows.
//	D2  The content of each file has the length and the SHA-256 of its record,
//	    and that of the file on disk when it was imported.
//	D3  The balances always sum up to what the bank was opened with, and each
//	    follows from the transfers recorded.
//	D4  A transfer that was acknowledged is recorded as it was acknowledged. Of
//	    a worker that was killed at most one more is: the one in flight.
//	D5  To import a file or to run a transfer twice is to do it once: records
//	    are read before they are written. So a transaction whose outcome is
//	    unknown may be repeated.
package demo
