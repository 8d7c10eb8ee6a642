import {
  ROOT_CONTEXT,
  SpanKind,
  SpanStatusCode,
  trace,
  TraceFlags,
  type Context,
} from '@opentelemetry/api';
import { OTLPTraceExporter } from '@opentelemetry/exporter-trace-otlp-http';
import { resourceFromAttributes } from '@opentelemetry/resources';
import { BasicTracerProvider, BatchSpanProcessor } from '@opentelemetry/sdk-trace-base';
import { ApplicationFailure, CancelledFailure } from '@temporalio/common';
import type { ActivityInterceptorsFactory } from '@temporalio/worker';
import { createHash } from 'node:crypto';

export interface Tracing {
  interceptor: ActivityInterceptorsFactory;
  /** Sends what is left. Never throws: traces hold up nothing. */
  end: () => Promise<void>;
}

/**
 * A span for each attempt of an activity, all of one run in one trace, sent by OTLP over HTTP.
 * Undefined where neither `OTEL_EXPORTER_OTLP_TRACES_ENDPOINT` nor `OTEL_EXPORTER_OTLP_ENDPOINT` is
 * set; `OTEL_EXPORTER_OTLP_HEADERS` and the like are read by the exporter. Of a failure its kind
 * alone is told.
 */
export function createTracing(env: NodeJS.ProcessEnv, environment: string): Tracing | undefined {
  const base = env.OTEL_EXPORTER_OTLP_ENDPOINT?.replace(/\/+$/, '');
  const url = env.OTEL_EXPORTER_OTLP_TRACES_ENDPOINT ?? (base && `${base}/v1/traces`);
  if (!url) return undefined;
  const provider = new BasicTracerProvider({
    resource: resourceFromAttributes({
      'service.name': env.OTEL_SERVICE_NAME ?? 'signon-rotation-worker',
      'deployment.environment.name': environment,
    }),
    spanProcessors: [new BatchSpanProcessor(new OTLPTraceExporter({ url }))],
  });
  const tracer = provider.getTracer('signon-token-rotation');
  const interceptor: ActivityInterceptorsFactory = ({ info }) => ({
    inbound: {
      async execute(input, next) {
        const { workflowExecution, activityType, activityId, attempt, workflowType } = info;
        const attributes = {
          temporalWorkflowId: workflowExecution?.workflowId,
          temporalRunId: workflowExecution?.runId,
          temporalWorkflowType: workflowType,
          temporalActivityId: activityId,
          temporalAttempt: attempt,
        };
        const kind = SpanKind.INTERNAL;
        const span = tracer.startSpan(
          activityType,
          { kind, attributes },
          traceOf(workflowExecution?.runId ?? ''),
        );
        try {
          const result: unknown = await next(input);
          span.setStatus({ code: SpanStatusCode.OK });
          return result;
        } catch (error) {
          if (error instanceof CancelledFailure)
            span.setAttribute('temporalCancelled', true); // no longer needed: nothing failed
          else span.setStatus({ code: SpanStatusCode.ERROR, message: kindOf(error) });
          throw error;
        } finally {
          span.end();
        }
      },
    },
  });
  return { interceptor, end: () => provider.shutdown().catch(() => undefined) };
}

/** The trace of a run, the same for all workers that work on it. */
function traceOf(runId: string): Context {
  const digest = createHash('sha256').update(runId).digest('hex');
  return trace.setSpanContext(ROOT_CONTEXT, {
    traceId: digest.slice(0, 32),
    spanId: digest.slice(32, 48),
    traceFlags: TraceFlags.SAMPLED,
    isRemote: true,
  });
}

function kindOf(error: unknown): string {
  if (error instanceof ApplicationFailure) return error.type ?? error.name;
  return error instanceof Error ? error.name : typeof error;
}
