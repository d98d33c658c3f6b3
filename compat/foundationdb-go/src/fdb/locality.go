package fdb

// GetEstimatedRangeSizeBytes returns about how many bytes a range takes: trust
// it from some megabytes on. Own writes do not count.
func (t Transaction) GetEstimatedRangeSizeBytes(r ExactRange) FutureInt64 { return t.estimate(r) }

// GetEstimatedRangeSizeBytes is Transaction.GetEstimatedRangeSizeBytes.
func (s Snapshot) GetEstimatedRangeSizeBytes(r ExactRange) FutureInt64 { return s.estimate(r) }

func (t *transaction) estimate(r ExactRange) FutureInt64 {
	return noted(t, t.current().EstimateRangeBytes(kvRange(r)).Wait)
}

// GetRangeSplitPoints returns keys that part a range into pieces of about
// chunkSize bytes, the bounds of the range among them. A size that is not
// positive is error 2000.
func (t Transaction) GetRangeSplitPoints(r ExactRange, chunkSize int64) FutureKeyArray {
	return t.splitPoints(r, chunkSize)
}

// GetRangeSplitPoints is Transaction.GetRangeSplitPoints.
func (s Snapshot) GetRangeSplitPoints(r ExactRange, chunkSize int64) FutureKeyArray {
	return s.splitPoints(r, chunkSize)
}

func (t *transaction) splitPoints(r ExactRange, chunkSize int64) FutureKeyArray {
	points := t.current().SplitPoints(kvRange(r), chunkSize)
	return noted(t, func() ([]Key, error) {
		keys, err := points.Wait()
		return asKeys(keys), err
	})
}

// LocalityGetAddressesForKey returns the addresses, with ports, of the servers
// that hold a key. For a store inside the process, where nothing listens, that is
// "127.0.0.1:0". API versions below 630 leave out the ports, unless an option
// asks for them.
func (t Transaction) LocalityGetAddressesForKey(key KeyConvertible) FutureStringSlice {
	found := t.current().AddressesForKey(keyBytes(key))
	return noted(t.transaction, func() ([]string, error) {
		addresses, err := found.Wait()
		return t.shown(addresses), err
	})
}

// LocalityGetBoundaryKeys returns the keys in a range at which the part of other
// servers begins, at most limit of them unless limit is 0. Boundaries belong to
// no version here, whatever readVersion is. A store inside the process is one
// part, which begins at the empty key.
func (d Database) LocalityGetBoundaryKeys(er ExactRange, limit int, readVersion int64) ([]Key, error) {
	if err := d.usable(); err != nil {
		return nil, err
	}
	keys, err := d.store.db.BoundaryKeys(d.store.ctx, kvRange(er), limit)
	return asKeys(keys), bare(err)
}

// asKeys returns keys of kv as keys of this package.
func asKeys(keys [][]byte) []Key {
	if keys == nil {
		return nil
	}
	out := make([]Key, len(keys))
	for i, k := range keys {
		out[i] = k
	}
	return out
}
