package fdb_test

import (
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/apple/foundationdb/bindings/go/src/fdb"
)

// This file compiles only if every option of the documentation of the binding
// 7.3 is there with its signature.

var _ databaseSetters = fdb.DatabaseOptions{}

// databaseSetters are the methods of fdb.DatabaseOptions.
type databaseSetters interface {
	SetDatacenterId(string) error
	SetLocationCacheSize(int64) error
	SetMachineId(string) error
	SetMaxWatches(int64) error
	SetSnapshotRywDisable() error
	SetSnapshotRywEnable() error
	SetTestCausalReadRisky(int64) error
	SetTransactionAutomaticIdempotency() error
	SetTransactionBypassUnreadable() error
	SetTransactionCausalReadRisky() error
	SetTransactionIncludePortInAddress() error
	SetTransactionLoggingMaxFieldLength(int64) error
	SetTransactionMaxRetryDelay(int64) error
	SetTransactionReportConflictingKeys() error
	SetTransactionRetryLimit(int64) error
	SetTransactionSizeLimit(int64) error
	SetTransactionTimeout(int64) error
	SetTransactionUsedDuringCommitProtectionDisable() error
	SetUseConfigDatabase() error
}

var _ networkSetters = fdb.NetworkOptions{}

// networkSetters are the methods of fdb.NetworkOptions.
type networkSetters interface {
	SetBuggifyDisable() error
	SetBuggifyEnable() error
	SetBuggifySectionActivatedProbability(int64) error
	SetBuggifySectionFiredProbability(int64) error
	SetCallbacksOnExternalThreads() error
	SetClientBuggifyDisable() error
	SetClientBuggifyEnable() error
	SetClientBuggifySectionActivatedProbability(int64) error
	SetClientBuggifySectionFiredProbability(int64) error
	SetClientThreadsPerVersion(int64) error
	SetClientTmpDir(string) error
	SetClusterFile(string) error
	SetDisableClientBypass() error
	SetDisableClientStatisticsLogging() error
	SetDisableLocalClient() error
	SetDisableMultiVersionClientApi() error
	SetDistributedClientTracer(string) error
	SetEnableRunLoopProfiling() error
	SetEnableSlowTaskProfiling() error
	SetExternalClientDirectory(string) error
	SetExternalClientLibrary(string) error
	SetFailIncompatibleClient() error
	SetFutureVersionClientLibrary(string) error
	SetIgnoreExternalClientFailures() error
	SetKnob(string) error
	SetLocalAddress(string) error
	SetRetainClientLibraryCopies() error
	SetTLSCaBytes([]byte) error
	SetTLSCaPath(string) error
	SetTLSCertBytes([]byte) error
	SetTLSCertPath(string) error
	SetTLSKeyBytes([]byte) error
	SetTLSKeyPath(string) error
	SetTLSPassword(string) error
	SetTLSPlugin(string) error
	SetTLSVerifyPeers([]byte) error
	SetTraceClockSource(string) error
	SetTraceEnable(string) error
	SetTraceFileIdentifier(string) error
	SetTraceFormat(string) error
	SetTraceInitializeOnSetup() error
	SetTraceLogGroup(string) error
	SetTraceMaxLogsSize(int64) error
	SetTracePartialFileSuffix(string) error
	SetTraceRollSize(int64) error
	SetTraceShareAmongClientThreads() error
}

var _ transactionSetters = fdb.TransactionOptions{}

// transactionSetters are the methods of fdb.TransactionOptions.
type transactionSetters interface {
	SetAccessSystemKeys() error
	SetAuthorizationToken(string) error
	SetAutoThrottleTag(string) error
	SetAutomaticIdempotency() error
	SetBypassStorageQuota() error
	SetBypassUnreadable() error
	SetCausalReadDisable() error
	SetCausalReadRisky() error
	SetCausalWriteRisky() error
	SetDebugRetryLogging(string) error
	SetDebugTransactionIdentifier(string) error
	SetDurabilityDatacenter() error
	SetDurabilityDevNullIsWebScale() error
	SetDurabilityRisky() error
	SetExpensiveClearCostEstimationEnable() error
	SetIncludePortInAddress() error
	SetInitializeNewDatabase() error
	SetLockAware() error
	SetLogTransaction() error
	SetMaxRetryDelay(int64) error
	SetNextWriteNoWriteConflictRange() error
	SetPriorityBatch() error
	SetPrioritySystemImmediate() error
	SetRawAccess() error
	SetReadAheadDisable() error
	SetReadLockAware() error
	SetReadPriorityHigh() error
	SetReadPriorityLow() error
	SetReadPriorityNormal() error
	SetReadServerSideCacheDisable() error
	SetReadServerSideCacheEnable() error
	SetReadSystemKeys() error
	SetReadYourWritesDisable() error
	SetReportConflictingKeys() error
	SetRetryLimit(int64) error
	SetServerRequestTracing() error
	SetSizeLimit(int64) error
	SetSnapshotRywDisable() error
	SetSnapshotRywEnable() error
	SetSpanParent([]byte) error
	SetSpecialKeySpaceEnableWrites() error
	SetSpecialKeySpaceRelaxed() error
	SetTag(string) error
	SetTimeout(int64) error
	SetTransactionLoggingEnable(string) error
	SetTransactionLoggingMaxFieldLength(int64) error
	SetUseGrvCache() error
	SetUseProvisionalProxies() error
	SetUsedDuringCommitProtectionDisable() error
}

// setters returns the names of the methods that set options.
func setters(typ reflect.Type) []string {
	var names []string
	for i := range typ.NumMethod() {
		if name := typ.Method(i).Name; strings.HasPrefix(name, "Set") {
			names = append(names, name)
		}
	}
	return names
}

// call calls a setter with a parameter that should be all right.
func call(options interface{}, name string) error {
	method := reflect.ValueOf(options).MethodByName(name)
	var in []reflect.Value
	for i := range method.Type().NumIn() {
		switch method.Type().In(i).Kind() {
		case reflect.Int64:
			in = append(in, reflect.ValueOf(int64(100)))
		case reflect.String:
			in = append(in, reflect.ValueOf("parameter"))
		default:
			in = append(in, reflect.ValueOf(make([]byte, 33)))
		}
	}
	err, _ := method.Call(in)[0].Interface().(error)
	return err
}

// refused are the options that are not accepted.
var refused = map[string]bool{"SetUseConfigDatabase": true, "SetInitializeNewDatabase": true}

func TestEveryOptionIsAcceptedOrRefusedWithANumber(t *testing.T) {
	db := open(t)
	for what, c := range map[string]struct {
		options  func() interface{}
		of, want reflect.Type
	}{
		"network":     {func() interface{} { return fdb.Options() }, reflect.TypeFor[fdb.NetworkOptions](), reflect.TypeFor[networkSetters]()},
		"database":    {func() interface{} { return db.Options() }, reflect.TypeFor[fdb.DatabaseOptions](), reflect.TypeFor[databaseSetters]()},
		"transaction": {func() interface{} { return begin(t, db).Options() }, reflect.TypeFor[fdb.TransactionOptions](), reflect.TypeFor[transactionSetters]()},
		"snapshot":    {func() interface{} { return begin(t, db).Snapshot().Options() }, reflect.TypeFor[fdb.TransactionOptions](), reflect.TypeFor[transactionSetters]()},
	} {
		names := setters(c.of)
		if want := setters(c.want); !slices.Equal(names, want) {
			t.Errorf("%s options %q, want %q", what, names, want)
		}
		for _, name := range names {
			o := c.options()
			if name == "SetLogTransaction" {
				mustBeBare(t, call(o, name), 2000) // it needs an identifier first
				if err := call(o, "SetDebugTransactionIdentifier"); err != nil {
					t.Error(err)
				}
			}
			err := call(o, name)
			if refused[name] {
				mustBeBare(t, err, 2108)
			} else if err != nil {
				t.Errorf("%s option %s: %v", what, name, err)
			}
		}
	}
	set(t, db, "k", "v") // with all the options of the database
}
