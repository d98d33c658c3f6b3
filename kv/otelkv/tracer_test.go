package otelkv_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/codes"
	sdk "go.opentelemetry.io/otel/sdk/trace"
	"go.opentelemetry.io/otel/sdk/trace/tracetest"
	"go.opentelemetry.io/otel/trace"

	"github.com/plinthdb/plinth/kv"
	"github.com/plinthdb/plinth/kv/embedded"
	"github.com/plinthdb/plinth/kv/otelkv"
)

// traced opens an embedded store whose transactions are traced.
func traced(t *testing.T, options ...sdk.TracerProviderOption) (*kv.Database, *sdk.TracerProvider, *tracetest.InMemoryExporter) {
	t.Helper()
	exporter := tracetest.NewInMemoryExporter()
	provider := sdk.NewTracerProvider(append(options, sdk.WithSyncer(exporter))...)
	db, store, err := embedded.Open("test", embedded.InMemory(),
		embedded.WithDatabaseOptions(kv.WithTracer(otelkv.NewTracer(provider))))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := errors.Join(store.Close(), provider.Shutdown(context.Background())); err != nil {
			t.Error(err)
		}
	})
	return db, provider, exporter
}

// attributes returns the attributes of a span by name.
func attributes(list []attribute.KeyValue) map[string]string {
	all := map[string]string{}
	for _, a := range list {
		all[string(a.Key)] = a.Value.Emit()
	}
	return all
}

// spansNamed returns the spans of one name, in the order of their ends.
func spansNamed(spans tracetest.SpanStubs, name string) (found tracetest.SpanStubs) {
	for _, s := range spans {
		if s.Name == name {
			found = append(found, s)
		}
	}
	return found
}

// read1AndWrite reads a key and a range and writes; in its first try theirs comes
// in between.
func read1AndWrite(t *testing.T, db *kv.Database, theirs func()) func(*kv.Transaction) (*kv.Transaction, error) {
	tries := 0
	return func(tx *kv.Transaction) (*kv.Transaction, error) {
		if _, err := tx.Get([]byte("secret")).Wait(); err != nil {
			return nil, err
		}
		if _, err := tx.Range(kv.AllKeys(), kv.RangeOptions{}).Slice(); err != nil {
			return nil, err
		}
		if tries++; tries == 1 {
			theirs()
		}
		tx.Set([]byte("secret"), []byte("secret"))
		return tx, nil
	}
}

func TestATransactionAndItsCallsAreSpans(t *testing.T) {
	db, provider, exporter := traced(t)
	ctx, caller := provider.Tracer("test").Start(t.Context(), "caller")
	tx, err := kv.Transact(ctx, db, read1AndWrite(t, db, func() {
		if _, err := kv.Transact(t.Context(), db, read1AndWrite(t, db, func() {})); err != nil {
			t.Error(err)
		}
		exporter.Reset()
	}))
	if err != nil {
		t.Fatal(err)
	}
	caller.End()
	spans := exporter.GetSpans()
	whole := spansNamed(spans, "plinth.transaction")[0]
	if whole.Parent.SpanID() != caller.SpanContext().SpanID() || whole.SpanKind != trace.SpanKindClient || whole.Status.Code != codes.Unset {
		t.Errorf("%+v", whole)
	}
	version, err := tx.CommittedVersion()
	if err != nil {
		t.Fatal(err)
	}
	got := attributes(whole.Attributes)
	for name, want := range map[string]string{
		"db.system.name": "plinth", "plinth.attempts": "2", "plinth.mutations": "1", "plinth.commit_version": fmt.Sprint(version),
	} {
		if got[name] != want {
			t.Errorf("%s is %q, want %q", name, got[name], want)
		}
	}
	if len(whole.Events) != 1 || whole.Events[0].Name != "plinth.retry" || attributes(whole.Events[0].Attributes)["plinth.error"] != "1020" {
		t.Errorf("events %+v", whole.Events)
	}
	commits := spansNamed(spans, "plinth.commit")
	if len(commits) != 2 || attributes(commits[0].Attributes)["error.type"] != "not_committed" || commits[0].Status.Code != codes.Error {
		t.Errorf("commits %+v", commits)
	}
	for name, n := range map[string]int{"plinth.read_version": 1, "plinth.get": 1, "plinth.get_range": 1, "plinth.commit": 2} {
		calls := spansNamed(spans, name)
		if len(calls) != n {
			t.Errorf("%d spans %s after the reset, want %d", len(calls), name, n)
		}
		for _, s := range calls {
			if s.Parent.SpanID() != whole.SpanContext.SpanID() {
				t.Errorf("%s is below %v", name, s.Parent.SpanID())
			}
		}
	}
}

func TestNoKeyAndNoTextOfAnErrorGetsIntoASpan(t *testing.T) {
	db, _, exporter := traced(t)
	for _, fail := range []error{nil, errors.New("secret"), kv.ErrKeyTooLarge.With("key %q is too large", "secret")} {
		_, err := kv.Transact(t.Context(), db, func(tx *kv.Transaction) (*kv.Transaction, error) {
			if tx, err := read1AndWrite(t, db, func() {})(tx); err != nil {
				return tx, err
			}
			return tx, fail
		})
		if !errors.Is(err, fail) {
			t.Fatal(err)
		}
	}
	spans := exporter.GetSpans()
	if text := fmt.Sprintf("%+v", spans); strings.Contains(text, "secret") {
		t.Errorf("a span tells: %s", text)
	}
	var types []string
	for _, s := range spansNamed(spans, "plinth.transaction") {
		types = append(types, attributes(s.Attributes)["error.type"])
	}
	if want := []string{"", "*errors.errorString", "key_too_large"}; fmt.Sprint(types) != fmt.Sprint(want) {
		t.Errorf("types %q, want %q", types, want)
	}
}

func TestATransactionThatIsNotSampledLeavesNoSpan(t *testing.T) {
	db, _, exporter := traced(t, sdk.WithSampler(sdk.ParentBased(sdk.NeverSample())))
	if _, err := kv.Transact(t.Context(), db, read1AndWrite(t, db, func() {})); err != nil {
		t.Fatal(err)
	}
	if spans := exporter.GetSpans(); len(spans) != 0 {
		t.Errorf("%d spans", len(spans))
	}
}
