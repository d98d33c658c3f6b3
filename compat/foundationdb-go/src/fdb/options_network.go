package fdb

// NetworkOptions sets what concerns the client as a whole: networks, TLS, trace
// files, client libraries. Nothing of that is here, so every option is accepted
// and has no effect.
type NetworkOptions struct{}

// Options returns what sets the options of the network.
func Options() NetworkOptions { return NetworkOptions{} }

// ignore accepts an option that has no meaning here. Before an API version is
// selected no option can be set: error 2200.
func (NetworkOptions) ignore() error {
	_, err := selected.get()
	return err
}

// SetLocalAddress has no effect.
//
// Deprecated: it has no meaning in FoundationDB either.
func (o NetworkOptions) SetLocalAddress(param string) error { return o.ignore() }

// SetClusterFile has no effect.
//
// Deprecated: it has no meaning in FoundationDB either; name the file when
// opening.
func (o NetworkOptions) SetClusterFile(param string) error { return o.ignore() }

// SetTraceEnable names the directory of the client's trace files; the package
// writes none.
func (o NetworkOptions) SetTraceEnable(param string) error { return o.ignore() }

// SetTraceRollSize bounds a trace file in bytes; the package writes none.
func (o NetworkOptions) SetTraceRollSize(param int64) error { return o.ignore() }

// SetTraceMaxLogsSize bounds all trace files in bytes; the package writes
// none.
func (o NetworkOptions) SetTraceMaxLogsSize(param int64) error { return o.ignore() }

// SetTraceLogGroup names the group of what is traced; the package traces
// nothing.
func (o NetworkOptions) SetTraceLogGroup(param string) error { return o.ignore() }

// SetTraceFormat chooses the format of trace files; the package writes none.
func (o NetworkOptions) SetTraceFormat(param string) error { return o.ignore() }

// SetTraceClockSource chooses the clock of trace files; the package writes
// none.
func (o NetworkOptions) SetTraceClockSource(param string) error { return o.ignore() }

// SetTraceFileIdentifier chooses a part of the names of trace files; the
// package writes none.
func (o NetworkOptions) SetTraceFileIdentifier(param string) error { return o.ignore() }

// SetTraceShareAmongClientThreads lets threads share a trace file; the package
// writes none.
func (o NetworkOptions) SetTraceShareAmongClientThreads() error { return o.ignore() }

// SetTraceInitializeOnSetup opens trace files early; the package writes none.
func (o NetworkOptions) SetTraceInitializeOnSetup() error { return o.ignore() }

// SetTracePartialFileSuffix chooses the suffix of unfinished trace files; the
// package writes none.
func (o NetworkOptions) SetTracePartialFileSuffix(param string) error { return o.ignore() }

// SetKnob changes an internal number of FoundationDB's client, which this is
// not.
func (o NetworkOptions) SetKnob(param string) error { return o.ignore() }

// SetTLSPlugin has no effect.
//
// Deprecated: it has no meaning in FoundationDB either.
func (o NetworkOptions) SetTLSPlugin(param string) error { return o.ignore() }

// SetTLSCertBytes gives the certificate chain; there is no connection that
// could use it.
func (o NetworkOptions) SetTLSCertBytes(param []byte) error { return o.ignore() }

// SetTLSCertPath names the file of the certificate chain; there is no
// connection that could use it.
func (o NetworkOptions) SetTLSCertPath(param string) error { return o.ignore() }

// SetTLSKeyBytes gives the private key; there is no connection that could use
// it.
func (o NetworkOptions) SetTLSKeyBytes(param []byte) error { return o.ignore() }

// SetTLSKeyPath names the file of the private key; there is no connection that
// could use it.
func (o NetworkOptions) SetTLSKeyPath(param string) error { return o.ignore() }

// SetTLSVerifyPeers says which certificates to accept; there is no connection
// that could have one.
func (o NetworkOptions) SetTLSVerifyPeers(param []byte) error { return o.ignore() }

// SetTLSCaBytes gives the certificates of authorities; there is no connection
// that could use them.
func (o NetworkOptions) SetTLSCaBytes(param []byte) error { return o.ignore() }

// SetTLSCaPath names the file of the certificates of authorities; there is no
// connection that could use them.
func (o NetworkOptions) SetTLSCaPath(param string) error { return o.ignore() }

// SetTLSPassword gives the pass phrase of the private key; there is no
// connection that could use it.
func (o NetworkOptions) SetTLSPassword(param string) error { return o.ignore() }

// SetBuggifyEnable has no effect in FoundationDB either.
func (o NetworkOptions) SetBuggifyEnable() error { return o.ignore() }

// SetBuggifyDisable has no effect in FoundationDB either.
func (o NetworkOptions) SetBuggifyDisable() error { return o.ignore() }

// SetBuggifySectionActivatedProbability is about FoundationDB's fault
// injection, which is not here.
func (o NetworkOptions) SetBuggifySectionActivatedProbability(param int64) error { return o.ignore() }

// SetBuggifySectionFiredProbability is about FoundationDB's fault injection,
// which is not here.
func (o NetworkOptions) SetBuggifySectionFiredProbability(param int64) error { return o.ignore() }

// SetDisableMultiVersionClientApi turns the multi-version client off; there is
// none.
func (o NetworkOptions) SetDisableMultiVersionClientApi() error { return o.ignore() }

// SetCallbacksOnExternalThreads is about the threads of other client
// libraries; there are none.
func (o NetworkOptions) SetCallbacksOnExternalThreads() error { return o.ignore() }

// SetExternalClientLibrary names another client library; none is needed, and
// none is loaded.
func (o NetworkOptions) SetExternalClientLibrary(param string) error { return o.ignore() }

// SetExternalClientDirectory names a directory of other client libraries; none
// is loaded.
func (o NetworkOptions) SetExternalClientDirectory(param string) error { return o.ignore() }

// SetDisableLocalClient leaves the work to other client libraries; there are
// none, and this one does it.
func (o NetworkOptions) SetDisableLocalClient() error { return o.ignore() }

// SetClientThreadsPerVersion sets the number of network threads; there are
// none.
func (o NetworkOptions) SetClientThreadsPerVersion(param int64) error { return o.ignore() }

// SetFutureVersionClientLibrary names a client library for tests; none is
// loaded.
func (o NetworkOptions) SetFutureVersionClientLibrary(param string) error { return o.ignore() }

// SetRetainClientLibraryCopies keeps copies of client libraries; there are
// none.
func (o NetworkOptions) SetRetainClientLibraryCopies() error { return o.ignore() }

// SetIgnoreExternalClientFailures is about other client libraries; there are
// none.
func (o NetworkOptions) SetIgnoreExternalClientFailures() error { return o.ignore() }

// SetFailIncompatibleClient is about servers of other versions; there are
// none.
func (o NetworkOptions) SetFailIncompatibleClient() error { return o.ignore() }

// SetDisableClientStatisticsLogging turns statistics of transactions off;
// there are none.
func (o NetworkOptions) SetDisableClientStatisticsLogging() error { return o.ignore() }

// SetEnableSlowTaskProfiling has no effect.
//
// Deprecated: use SetEnableRunLoopProfiling.
func (o NetworkOptions) SetEnableSlowTaskProfiling() error { return o.ignore() }

// SetEnableRunLoopProfiling profiles the network thread; there is none.
func (o NetworkOptions) SetEnableRunLoopProfiling() error { return o.ignore() }

// SetDisableClientBypass keeps the multi-version client; there is none.
func (o NetworkOptions) SetDisableClientBypass() error { return o.ignore() }

// SetClientBuggifyEnable is about FoundationDB's fault injection, which is not
// here.
func (o NetworkOptions) SetClientBuggifyEnable() error { return o.ignore() }

// SetClientBuggifyDisable is about FoundationDB's fault injection, which is
// not here.
func (o NetworkOptions) SetClientBuggifyDisable() error { return o.ignore() }

// SetClientBuggifySectionActivatedProbability is about FoundationDB's fault
// injection, which is not here.
func (o NetworkOptions) SetClientBuggifySectionActivatedProbability(param int64) error {
	return o.ignore()
}

// SetClientBuggifySectionFiredProbability is about FoundationDB's fault
// injection, which is not here.
func (o NetworkOptions) SetClientBuggifySectionFiredProbability(param int64) error { return o.ignore() }

// SetDistributedClientTracer chooses a tracer; there is none.
func (o NetworkOptions) SetDistributedClientTracer(param string) error { return o.ignore() }

// SetClientTmpDir names a directory for copies of client libraries; there are
// none.
func (o NetworkOptions) SetClientTmpDir(param string) error { return o.ignore() }
