package machine

// unitTestOperations is what stands for the client's own tests.
func unitTestOperations() map[string]operation {
	return map[string]operation{
		"UNIT_TESTS": {run: func(m *Machine, _ call) error { return m.client.UnitTests() }},
	}
}

// threadOperations are those that deal with other machines.
func threadOperations() map[string]operation {
	return map[string]operation{
		"START_THREAD": {run: startThread},
		"WAIT_EMPTY":   {run: waitEmpty},
	}
}

// Sequential is a Client whose machines run one at a time: a machine that is
// started runs to its end before the one that started it goes on.
type Sequential interface {
	Client
	// RunsSequentially does nothing: having it is what matters.
	RunsSequentially()
}

func startThread(m *Machine, _ call) error {
	v := m.values()
	prefix := v.bytes()
	if v.err != nil {
		return v.err
	}
	started := newMachine(m.client, m.shared, m.operations, prefix)
	started.disturbs = m.disturbs
	if _, ok := m.client.(Sequential); ok {
		started.runAndNote()
		return nil
	}
	m.shared.machines.Go(started.runAndNote)
	return nil
}

// codeNotCommitted is FoundationDB's number of a conflict.
const codeNotCommitted = 1020

// waitEmpty waits until there is no key with a prefix. The client's retries do
// the waiting. They end when another machine has failed: the key may be its own.
func waitEmpty(m *Machine, c call) error {
	v := m.values()
	prefix := v.bytes()
	if v.err != nil {
		return v.err
	}
	err := m.client.Update(func(t Transaction) error {
		rows, err := t.RangePrefix(prefix, RangeOptions{Limit: 1})
		if err != nil || len(rows) == 0 {
			return err
		}
		if err := m.abandoned(); err != nil {
			return err
		}
		return m.client.Error(codeNotCommitted)
	})
	if err == nil {
		m.stack.push(c.index, []byte("WAITED_FOR_EMPTY"))
	}
	return err
}
