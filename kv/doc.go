// Package kv is the Go client of Plinth, a transactional, ordered key-value
// store in the manner of FoundationDB.
//
// A Database comes from a package that provides one, such as kv/embedded.
// Everything happens in transactions:
//
//	balance, err := kv.Transact(ctx, db, func(tx *kv.Transaction) (uint64, error) {
//		value, err := tx.Get(key).Wait()
//		if err != nil {
//			return 0, err
//		}
//		...
//		tx.Set(key, changed)
//		return balance, nil
//	})
package kv
