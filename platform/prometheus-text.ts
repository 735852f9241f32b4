/** Prometheus' text format 0.0.4. */
export interface Sample {
  labels: Record<string, string | number | null>
  value: number
  /** Of a histogram: `_bucket`, `_sum`, `_count`. */
  suffix?: string
}

/** Nothing at all where there is no sample. */
export function family(
  name: string,
  type: 'gauge' | 'counter' | 'histogram',
  help: string,
  samples: Sample[],
): string[] {
  if (samples.length === 0) return []
  const lines = samples.map(
    ({ labels, value, suffix = '' }) => `${name}${suffix}${showLabels(labels)} ${value}`,
  )
  return [`# HELP ${name} ${help}`, `# TYPE ${name} ${type}`, ...lines]
}

function showLabels(labels: Sample['labels']): string {
  const escaped = Object.entries(labels).map(
    ([name, value]) =>
      `${name}="${String(value ?? '')
        .replaceAll('\\', '\\\\')
        .replaceAll('"', '\\"')
        .replaceAll('\n', '\\n')}"`,
  )
  return `{${escaped.join(',')}}`
}
