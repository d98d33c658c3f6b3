package fdb_test

import (
	"testing"

	"github.com/apple/foundationdb/bindings/go/src/fdb"
)

// This file compiles only if everything else that the documentation of the
// binding 7.3 lists is there with its signature.

// The functions.
var (
	_ func(int) error                            = fdb.APIVersion
	_ func() (int, error)                        = fdb.GetAPIVersion
	_ func() bool                                = fdb.IsAPIVersionSelected
	_ func(int)                                  = fdb.MustAPIVersion
	_ func() int                                 = fdb.MustGetAPIVersion
	_ func([]byte) string                        = fdb.Printable
	_ func() error                               = fdb.StartNetwork
	_ func() error                               = fdb.StopNetwork
	_ func([]byte) ([]byte, error)               = fdb.Strinc
	_ func(string) (fdb.Cluster, error)          = fdb.CreateCluster
	_ func(string, []byte) fdb.Database          = fdb.MustOpen
	_ func(string) fdb.Database                  = fdb.MustOpenDatabase
	_ func() fdb.Database                        = fdb.MustOpenDefault
	_ func(string, []byte) (fdb.Database, error) = fdb.Open
	_ func(string) (fdb.Database, error)         = fdb.OpenDatabase
	_ func() (fdb.Database, error)               = fdb.OpenDefault
	_ func(string) (fdb.Database, error)         = fdb.OpenWithConnectionString
	_ func([]byte) (fdb.KeyRange, error)         = fdb.PrefixRange
	_ func(fdb.KeyConvertible) fdb.KeySelector   = fdb.FirstGreaterOrEqual
	_ func(fdb.KeyConvertible) fdb.KeySelector   = fdb.FirstGreaterThan
	_ func(fdb.KeyConvertible) fdb.KeySelector   = fdb.LastLessOrEqual
	_ func(fdb.KeyConvertible) fdb.KeySelector   = fdb.LastLessThan
	_ func() fdb.NetworkOptions                  = fdb.Options
)

// The methods of Cluster.
var _ interface {
	OpenDatabase([]byte) (fdb.Database, error)
} = fdb.Cluster{}

// The methods of Database.
var _ interface {
	Close()
	CreateTenant(fdb.KeyConvertible) error
	CreateTransaction() (fdb.Transaction, error)
	DeleteTenant(fdb.KeyConvertible) error
	GetClientStatus() ([]byte, error)
	ListTenants() ([]fdb.Key, error)
	LocalityGetBoundaryKeys(fdb.ExactRange, int, int64) ([]fdb.Key, error)
	OpenTenant(fdb.KeyConvertible) (fdb.Tenant, error)
	Options() fdb.DatabaseOptions
	ReadTransact(func(fdb.ReadTransaction) (interface{}, error)) (interface{}, error)
	RebootWorker(string, bool, int) error
	Transact(func(fdb.Transaction) (interface{}, error)) (interface{}, error)
} = fdb.Database{}

// The methods of Error.
var _ interface {
	Error() string
} = fdb.Error{}

// The methods of Key.
var _ interface {
	FDBKey() fdb.Key
	String() string
} = fdb.Key(nil)

// The methods of KeyRange.
var _ interface {
	FDBRangeKeySelectors() (fdb.Selectable, fdb.Selectable)
	FDBRangeKeys() (fdb.KeyConvertible, fdb.KeyConvertible)
} = fdb.KeyRange{}

// The methods of KeySelector.
var _ interface {
	FDBKeySelector() fdb.KeySelector
} = fdb.KeySelector{}

// The methods of RangeIterator.
var _ interface {
	Advance() bool
	Get() (fdb.KeyValue, error)
	MustGet() fdb.KeyValue
} = (*fdb.RangeIterator)(nil)

// The methods of RangeResult.
var _ interface {
	GetSliceOrPanic() []fdb.KeyValue
	GetSliceWithError() ([]fdb.KeyValue, error)
	Iterator() *fdb.RangeIterator
} = fdb.RangeResult{}

// The methods of SelectorRange.
var _ interface {
	FDBRangeKeySelectors() (fdb.Selectable, fdb.Selectable)
} = fdb.SelectorRange{}

// The methods of Snapshot.
var _ interface {
	Cancel()
	Get(fdb.KeyConvertible) fdb.FutureByteSlice
	GetDatabase() fdb.Database
	GetEstimatedRangeSizeBytes(fdb.ExactRange) fdb.FutureInt64
	GetKey(fdb.Selectable) fdb.FutureKey
	GetRange(fdb.Range, fdb.RangeOptions) fdb.RangeResult
	GetRangeSplitPoints(fdb.ExactRange, int64) fdb.FutureKeyArray
	GetReadVersion() fdb.FutureInt64
	Options() fdb.TransactionOptions
	ReadTransact(func(fdb.ReadTransaction) (interface{}, error)) (interface{}, error)
	Snapshot() fdb.Snapshot
} = fdb.Snapshot{}

// The methods of Tenant.
var _ interface {
	CreateTransaction() (fdb.Transaction, error)
	ReadTransact(func(fdb.ReadTransaction) (interface{}, error)) (interface{}, error)
	Transact(func(fdb.Transaction) (interface{}, error)) (interface{}, error)
} = fdb.Tenant{}

// The methods of Transaction.
var _ interface {
	Add(fdb.KeyConvertible, []byte)
	AddReadConflictKey(fdb.KeyConvertible) error
	AddReadConflictRange(fdb.ExactRange) error
	AddWriteConflictKey(fdb.KeyConvertible) error
	AddWriteConflictRange(fdb.ExactRange) error
	And(fdb.KeyConvertible, []byte)
	AppendIfFits(fdb.KeyConvertible, []byte)
	BitAnd(fdb.KeyConvertible, []byte)
	BitOr(fdb.KeyConvertible, []byte)
	BitXor(fdb.KeyConvertible, []byte)
	ByteMax(fdb.KeyConvertible, []byte)
	ByteMin(fdb.KeyConvertible, []byte)
	Cancel()
	Clear(fdb.KeyConvertible)
	ClearRange(fdb.ExactRange)
	Commit() fdb.FutureNil
	CompareAndClear(fdb.KeyConvertible, []byte)
	CreateTenant(fdb.KeyConvertible) error
	DeleteTenant(fdb.KeyConvertible) error
	Get(fdb.KeyConvertible) fdb.FutureByteSlice
	GetApproximateSize() fdb.FutureInt64
	GetCommittedVersion() (int64, error)
	GetDatabase() fdb.Database
	GetEstimatedRangeSizeBytes(fdb.ExactRange) fdb.FutureInt64
	GetKey(fdb.Selectable) fdb.FutureKey
	GetRange(fdb.Range, fdb.RangeOptions) fdb.RangeResult
	GetRangeSplitPoints(fdb.ExactRange, int64) fdb.FutureKeyArray
	GetReadVersion() fdb.FutureInt64
	GetVersionstamp() fdb.FutureKey
	ListTenants() ([]fdb.Key, error)
	LocalityGetAddressesForKey(fdb.KeyConvertible) fdb.FutureStringSlice
	Max(fdb.KeyConvertible, []byte)
	Min(fdb.KeyConvertible, []byte)
	OnError(fdb.Error) fdb.FutureNil
	Options() fdb.TransactionOptions
	Or(fdb.KeyConvertible, []byte)
	ReadTransact(func(fdb.ReadTransaction) (interface{}, error)) (interface{}, error)
	Reset()
	Set(fdb.KeyConvertible, []byte)
	SetReadVersion(int64)
	SetVersionstampedKey(fdb.KeyConvertible, []byte)
	SetVersionstampedValue(fdb.KeyConvertible, []byte)
	Snapshot() fdb.Snapshot
	Transact(func(fdb.Transaction) (interface{}, error)) (interface{}, error)
	Watch(fdb.KeyConvertible) fdb.FutureNil
	Xor(fdb.KeyConvertible, []byte)
} = fdb.Transaction{}

// The interfaces, each the same as the one that is written out.
var (
	_ = func(f fdb.Future) future { return f }
	_ = func(f future) fdb.Future { return f }

	_ = func(f fdb.FutureByteSlice) futureOf[[]byte] { return f }
	_ = func(f futureOf[[]byte]) fdb.FutureByteSlice { return f }
	_ = func(f fdb.FutureKey) futureOf[fdb.Key] { return f }
	_ = func(f futureOf[fdb.Key]) fdb.FutureKey { return f }
	_ = func(f fdb.FutureInt64) futureOf[int64] { return f }
	_ = func(f futureOf[int64]) fdb.FutureInt64 { return f }
	_ = func(f fdb.FutureStringSlice) futureOf[[]string] { return f }
	_ = func(f futureOf[[]string]) fdb.FutureStringSlice { return f }
	_ = func(f fdb.FutureNil) futureNil { return f }
	_ = func(f futureNil) fdb.FutureNil { return f }
	_ = func(f fdb.FutureKeyArray) futureKeyArray { return f }
	_ = func(f futureKeyArray) fdb.FutureKeyArray { return f }

	_ = func(k fdb.KeyConvertible) interface{ FDBKey() fdb.Key } { return k }
	_ = func(k interface{ FDBKey() fdb.Key }) fdb.KeyConvertible { return k }
	_ = func(s fdb.Selectable) interface{ FDBKeySelector() fdb.KeySelector } { return s }
	_ = func(s interface{ FDBKeySelector() fdb.KeySelector }) fdb.Selectable { return s }
	_ = func(r fdb.Range) rangeAPI { return r }
	_ = func(r rangeAPI) fdb.Range { return r }
	_ = func(r fdb.ExactRange) exactRangeAPI { return r }
	_ = func(r exactRangeAPI) fdb.ExactRange { return r }

	_ = func(t fdb.Transactor) transactorAPI { return t }
	_ = func(t transactorAPI) fdb.Transactor { return t }
	_ = func(t fdb.ReadTransactor) readTransactorAPI { return t }
	_ = func(t readTransactorAPI) fdb.ReadTransactor { return t }
	_ = func(t fdb.ReadTransaction) readTransactionAPI { return t }
	_ = func(t readTransactionAPI) fdb.ReadTransaction { return t }
)

type (
	future interface {
		BlockUntilReady()
		IsReady() bool
		Cancel()
	}
	futureOf[T any] interface {
		Get() (T, error)
		MustGet() T
		future
	}
	futureNil interface {
		Get() error
		MustGet()
		future
	}
	futureKeyArray interface {
		Get() ([]fdb.Key, error)
		MustGet() []fdb.Key
	}
	rangeAPI interface {
		FDBRangeKeySelectors() (begin, end fdb.Selectable)
	}
	exactRangeAPI interface {
		FDBRangeKeys() (begin, end fdb.KeyConvertible)
		rangeAPI
	}
	readTransactorAPI interface {
		ReadTransact(func(fdb.ReadTransaction) (interface{}, error)) (interface{}, error)
	}
	transactorAPI interface {
		Transact(func(fdb.Transaction) (interface{}, error)) (interface{}, error)
		readTransactorAPI
	}
	readTransactionAPI interface {
		Get(fdb.KeyConvertible) fdb.FutureByteSlice
		GetKey(fdb.Selectable) fdb.FutureKey
		GetRange(fdb.Range, fdb.RangeOptions) fdb.RangeResult
		GetReadVersion() fdb.FutureInt64
		GetDatabase() fdb.Database
		Snapshot() fdb.Snapshot
		GetEstimatedRangeSizeBytes(fdb.ExactRange) fdb.FutureInt64
		GetRangeSplitPoints(fdb.ExactRange, int64) fdb.FutureKeyArray
		Options() fdb.TransactionOptions
		Cancel()
		readTransactorAPI
	}
)

// The types with fields, as programs build them without naming the fields, and
// the constants.
var (
	_ = fdb.Error{1020}
	_ = fdb.KeyValue{fdb.Key("k"), []byte("v")}
	_ = fdb.KeyRange{fdb.Key("a"), fdb.Key("b")}
	_ = fdb.KeySelector{fdb.Key("k"), true, 1}
	_ = fdb.SelectorRange{fdb.KeySelector{}, fdb.KeySelector{}}
	_ = fdb.RangeOptions{1, fdb.StreamingModeExact, true}
	_ = []fdb.KeyConvertible{fdb.Key("k")}
	_ = []fdb.ExactRange{fdb.KeyRange{}}
	_ = []fdb.Range{fdb.KeyRange{}, fdb.SelectorRange{}}
	_ = []error{fdb.ErrMultiVersionClientUnavailable, fdb.ErrNetworkAlreadyStopped, fdb.ErrNetworkIsStopped, fdb.ErrNetworkNotStarted}
	_ = map[fdb.Error]bool{}

	_ string = fdb.DefaultClusterFile
)

// Programs may keep the numbers.
func TestConstantsHaveTheBindingsNumbers(t *testing.T) {
	for mode, want := range map[fdb.StreamingMode]int{
		fdb.StreamingModeWantAll: -1, fdb.StreamingModeIterator: 0, fdb.StreamingModeExact: 1, fdb.StreamingModeSmall: 2,
		fdb.StreamingModeMedium: 3, fdb.StreamingModeLarge: 4, fdb.StreamingModeSerial: 5,
	} {
		mustEqual(t, int(mode), want)
	}
	for predicate, want := range map[fdb.ErrorPredicate]int{
		fdb.ErrorPredicateRetryable: 50000, fdb.ErrorPredicateMaybeCommitted: 50001, fdb.ErrorPredicateRetryableNotCommitted: 50002,
	} {
		mustEqual(t, int(predicate), want)
	}
}
