import { requireInstallation, type Viewer } from './access.ts'
import { containerMetrics, hostMetrics, metricSteps } from './model/metrics.ts'
import type { Platform } from './open.ts'
import { edgeFamilies } from './prometheus-edge.ts'
import { family, type Sample } from './prometheus-text.ts'

/** What is older says nothing of now. */
const freshMs = 60_000

/** Name, unit and what it is, in Prometheus' words. */
const words: Record<string, [name: string, help: string, factor?: number]> = {
  cpuMillis: ['cpu_cores', 'Processors in use, mean of ten seconds.', 0.001],
  cpuLimitMillis: ['cpu_limit_cores', 'Processors that it may use.', 0.001],
  cpuThrottled: ['cpu_throttled_ratio', 'Share of the time in which its limit did not let it run.'],
  memoryBytes: ['memory_bytes', 'Memory in use, without cache.'],
  memoryLimitBytes: ['memory_limit_bytes', 'Memory that it may use.'],
  pids: ['pids', 'Processes and threads.'],
  pidsLimit: ['pids_limit', 'Processes and threads that it may have.'],
  receivedBytes: ['network_received_bytes_per_second', 'Received from the network.'],
  sentBytes: ['network_sent_bytes_per_second', 'Sent to the network.'],
  readBytes: ['disk_read_bytes_per_second', 'Read from disks.'],
  writtenBytes: ['disk_written_bytes_per_second', 'Written to disks.'],
  diskBytes: ['disk_bytes', 'Taken on the file system that holds the state.'],
  diskLimitBytes: ['disk_limit_bytes', 'Size of that file system.'],
  load: ['load1', 'Load average of one minute.'],
  containers: ['containers', 'Containers of apps that run.'],
}

interface Row {
  subject: string
  hostId: string
  process: string | null
  replica: number | null
  means: (number | null)[]
  app: string | null
  project: string | null
  team: string | null
}

/** The newest numbers of everything, as text for Prometheus. For administrators of the installation. */
export async function prometheusText(platform: Platform, viewer: Viewer): Promise<string> {
  await requireInstallation(platform, viewer, 'installation.read-hosts')
  const rows = await platform.db.$queryRaw<Row[]>`
    SELECT DISTINCT ON (subject) subject, metric_points."hostId", process, replica, means,
      apps.slug AS app, projects.slug AS project, teams.slug AS team
    FROM metric_points
    LEFT JOIN apps ON apps.id = metric_points."appId"
    LEFT JOIN projects ON projects.id = apps."projectId"
    LEFT JOIN teams ON teams.id = projects."teamId"
    WHERE "stepSeconds" = ${metricSteps[0].seconds} AND at > ${new Date(Date.now() - freshMs)}::timestamp
    ORDER BY subject, at DESC`
  const containers = rows.filter(({ app }) => app !== null)
  const hosts = rows.filter(({ app }) => app === null)
  const lines = [
    ...containerMetrics.flatMap((metric, place) => gauge('berth_container', metric, place, containers)),
    ...hostMetrics.flatMap((metric, place) => gauge('berth_host', metric, place, hosts)),
    ...(await edgeFamilies(platform, freshMs)),
  ]
  return `${lines.join('\n')}\n`
}

function gauge(prefix: string, metric: string, place: number, rows: Row[]): string[] {
  const [suffix, help, factor = 1] = words[metric] ?? [metric, metric]
  const samples = rows.flatMap((row) => {
    const value = row.means[place]
    return value === null || value === undefined ? [] : [{ labels: labelsOf(row), value: value * factor }]
  })
  return family(`${prefix}_${suffix}`, 'gauge', help, samples)
}

function labelsOf({ subject, hostId, process, replica, app, project, team }: Row): Sample['labels'] {
  return app === null
    ? { host: hostId }
    : { team, project, app, process, replica, container: subject, host: hostId }
}
