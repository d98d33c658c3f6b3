package fdb

import "github.com/plinthdb/plinth/kv"

// notYet is the error of what kv does not have yet.
func notYet(what string) error {
	return detailed(errUnsupported, "%s: Plinth's client cannot tell yet", what)
}

// GetEstimatedRangeSizeBytes returns about how many bytes a range holds.
func (t Transaction) GetEstimatedRangeSizeBytes(r ExactRange) FutureInt64 { return t.estimate(r) }

// GetEstimatedRangeSizeBytes returns about how many bytes a range holds.
func (s Snapshot) GetEstimatedRangeSizeBytes(r ExactRange) FutureInt64 { return s.estimate(r) }

func (t *transaction) estimate(r ExactRange) FutureInt64 {
	return newFuture(t, func() (int64, error) { return 0, notYet("estimated size of a range") })
}

// GetRangeSplitPoints returns keys that part a range into pieces of about
// chunkSize bytes, the bounds of the range among them.
func (t Transaction) GetRangeSplitPoints(r ExactRange, chunkSize int64) FutureKeyArray {
	return t.splitPoints(r, chunkSize)
}

// GetRangeSplitPoints is Transaction.GetRangeSplitPoints.
func (s Snapshot) GetRangeSplitPoints(r ExactRange, chunkSize int64) FutureKeyArray {
	return s.splitPoints(r, chunkSize)
}

func (t *transaction) splitPoints(r ExactRange, chunkSize int64) FutureKeyArray {
	return newFuture(t, func() ([]Key, error) { return nil, notYet("split points of a range") })
}

// LocalityGetAddressesForKey returns the addresses of the servers that hold a
// key.
func (t Transaction) LocalityGetAddressesForKey(key KeyConvertible) FutureStringSlice {
	return newFuture(t.transaction, func() ([]string, error) { return nil, notYet("addresses of a key") })
}

// boundaryKeys is Database.LocalityGetBoundaryKeys in a transaction.
func boundaryKeys(t *transaction, r kv.KeyRange, limit int) ([]Key, error) {
	return nil, notYet("boundary keys")
}
