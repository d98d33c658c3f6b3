package otelkv

import (
	"context"
	"errors"
	"fmt"
	"log/slog"

	"go.opentelemetry.io/otel"
	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/codes"
	"go.opentelemetry.io/otel/trace"

	"github.com/plinthdb/plinth/kv"
)

// scope names what makes the spans.
const scope = "github.com/plinthdb/plinth/kv/otelkv"

// NewTracer returns a tracer for kv.WithTracer whose spans go to provider, or to
// OpenTelemetry's global one if it is nil.
func NewTracer(provider trace.TracerProvider) kv.Tracer {
	if provider == nil {
		provider = otel.GetTracerProvider()
	}
	return tracer{provider.Tracer(scope)}
}

type tracer struct{ trace.Tracer }

// Start implements kv.Tracer.
func (t tracer) Start(ctx context.Context, name string) (context.Context, kv.Span) {
	ctx, s := t.Tracer.Start(ctx, name,
		trace.WithSpanKind(trace.SpanKindClient), trace.WithAttributes(attribute.String("db.system.name", "plinth")))
	if !s.IsRecording() {
		return ctx, nil // the context says to those below that it is not sampled
	}
	return ctx, span{s}
}

// span is a trace.Span as kv.Span.
type span struct{ trace.Span }

func (s span) Set(attributes ...slog.Attr) { s.SetAttributes(convert(attributes)...) }

func (s span) Event(name string, attributes ...slog.Attr) {
	s.AddEvent(name, trace.WithAttributes(convert(attributes)...))
}

func (s span) End(err error) {
	if err != nil {
		name := errorName(err)
		s.SetAttributes(attribute.String("error.type", name))
		s.SetStatus(codes.Error, name)
	}
	s.Span.End()
}

// errorName returns the store's name for err, or the type of an error that is not
// the store's.
func errorName(err error) string {
	var numbered *kv.Error
	if errors.As(err, &numbered) {
		return numbered.Name
	}
	return fmt.Sprintf("%T", err)
}

// convert returns attributes as OpenTelemetry has them.
func convert(attributes []slog.Attr) []attribute.KeyValue {
	out := make([]attribute.KeyValue, len(attributes))
	for i, a := range attributes {
		if a.Value.Kind() == slog.KindInt64 {
			out[i] = attribute.Int64(a.Key, a.Value.Int64())
		} else {
			out[i] = attribute.String(a.Key, a.Value.String())
		}
	}
	return out
}
