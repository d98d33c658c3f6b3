package fdb

import "github.com/plinthdb/plinth/kv"

// firstInBatch is the number of the option first_in_batch, for which
// FoundationDB's bindings have no method.
const firstInBatch = 710

// setOpt sets an option that has no method by its number. Programs that number
// their commits reach it by go:linkname, under this name and signature, as they
// reach the method of FoundationDB's binding. Any other number is
// invalid_option (2007).
//
//lint:ignore U1000 programs link to it
func (o TransactionOptions) setOpt(code int, param []byte) error {
	if code != firstInBatch {
		return refused(Error{2007}, "option %d has no meaning here, or a method of its own", code)
	}
	return o.set(kv.WithFirstInBatch(true))
}
