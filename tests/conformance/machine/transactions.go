package machine

// transactionOperations are those that begin, end and steer transactions.
func transactionOperations() map[string]operation {
	return map[string]operation{
		"NEW_TRANSACTION":        {run: func(m *Machine, _ call) error { return m.begin(false) }},
		"USE_TRANSACTION":        {run: useTransaction},
		"ON_ERROR":               {run: onError},
		"COMMIT":                 onTransaction(commit),
		"RESET":                  onTransaction(func(_ *Machine, _ call, t Transaction) error { t.Reset(); return nil }),
		"CANCEL":                 onTransaction(func(_ *Machine, _ call, t Transaction) error { t.Cancel(); return nil }),
		"GET_COMMITTED_VERSION":  onTransaction(committedVersion),
		"GET_APPROXIMATE_SIZE":   onTransaction(approximateSize),
		"GET_VERSIONSTAMP":       onTransaction(versionstamp),
		"SET_READ_VERSION":       onTransaction(func(m *Machine, _ call, t Transaction) error { t.SetReadVersion(m.lastVersion); return nil }),
		"DISABLE_WRITE_CONFLICT": onTransaction(func(_ *Machine, _ call, t Transaction) error { t.NextWriteWithoutConflict(); return nil }),
	}
}

func useTransaction(m *Machine, _ call) error {
	v := m.values()
	name := v.bytes()
	if v.err != nil {
		return v.err
	}
	m.name = string(name)
	return m.begin(true)
}

func onError(m *Machine, c call) error {
	v := m.values()
	code := v.int()
	if v.err != nil {
		return v.err
	}
	t, err := m.transaction()
	if err == nil {
		m.stack.push(c.index, m.withoutDisturbance(t.OnError(code)))
	}
	return err
}

func commit(m *Machine, c call, t Transaction) error {
	m.stack.push(c.index, t.Commit())
	return nil
}

func committedVersion(m *Machine, c call, t Transaction) error {
	version, err := t.CommittedVersion()
	if err == nil {
		m.lastVersion = version
		m.stack.push(c.index, []byte("GOT_COMMITTED_VERSION"))
	}
	return err
}

func approximateSize(m *Machine, c call, t Transaction) error {
	err := t.ApproximateSize()
	if err == nil {
		m.stack.push(c.index, []byte("GOT_APPROXIMATE_SIZE"))
	}
	return err
}

func versionstamp(m *Machine, c call, t Transaction) error {
	m.stack.push(c.index, t.Versionstamp())
	return nil
}
