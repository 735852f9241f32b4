import type { AppEvent, AppEventKind } from '../model/app-event-kinds.ts'
import { web } from '../model/processes.ts'
import { resizes, type Size } from '../model/scale.ts'
import { firedWords, recoveredWords } from './alert-words.ts'

/** What happened to an app, in one sentence that follows its name. */
type Words = { [Kind in AppEventKind]: (event: Extract<AppEvent, { kind: Kind }>) => string }

export type WordsLanguage = 'en' | 'zh-CN'

const mebi = 2 ** 20
const seconds = (ms: number) => Math.max(1, Math.round(ms / 1_000))
const size = (of: { replicas: number; memoryBytes: number; cpuMillis: number }) =>
  `${of.replicas} × ${Math.round(of.memoryBytes / mebi)} MiB, ${of.cpuMillis / 1_000} CPU`
/** From what to what, of each process that changes. */
const sizes = ({ from, to }: { from: Size; to: Size }, arrow: (from: string, to: string) => string) =>
  resizes(from, to)
    .map((each) => {
      const words = arrow(size(each.from), size(each.to))
      return each.process === web ? words : `${each.process}: ${words}`
    })
    .join('; ')
const fields = (changes: { field: string }[]) => {
  const names = [...new Set(changes.map(({ field }) => field.replace(/^(settings|variables)\./, '')))]
  return names.length > 5 ? `${names.slice(0, 5).join(', ')} …` : names.join(', ')
}
const howItEnded = ({ exitCode, signal }: { exitCode: number | null; signal: string | null }) =>
  signal ?? (exitCode === null ? '?' : String(exitCode))

interface OfContainer {
  process: string
  replica: number
}

const replicaIn = ({ process, replica }: OfContainer) =>
  process === web ? `replica ${replica + 1}` : `replica ${replica + 1} of ${process}`
const replicaInChinese = ({ process, replica }: OfContainer) =>
  process === web ? `副本 ${replica + 1}` : `${process} 的副本 ${replica + 1}`

const english: Words = {
  'app.created': () => 'was made',
  'app.started': () => 'was started',
  'app.stopped': () => 'was stopped',
  'deployment.asked': ({ number, image, toNumber }) =>
    toNumber === null
      ? `is to be deployed: #${number} of ${image}`
      : `is to be rolled back to #${toNumber}, as deployment #${number}`,
  'deployment.live': ({ number, tookMs }) => `deployment #${number} is live after ${seconds(tookMs)} s`,
  'deployment.failed': ({ number, message }) => `deployment #${number} failed: ${message}`,
  'deployment.canceled': ({ number }) => `deployment #${number} was canceled`,
  'deployment.superseded': ({ number }) => `deployment #${number} was skipped for a newer one`,
  'deployment.rolled-back': ({ number, toNumber }) =>
    `was rolled back${toNumber === null ? '' : ` to #${toNumber}`}: deployment #${number} is live`,
  'deployment.rolled-back-automatically': ({ fromNumber, toNumber }) =>
    `deployment #${fromNumber} crashed again and again and is rolled back to #${toNumber}`,
  'configuration.changed': ({ changes }) => `settings were changed: ${fields(changes)}`,
  'configuration.variables-changed': ({ changes }) => `variables were changed: ${fields(changes)}`,
  'container.exited': (event) => `${replicaIn(event)} ended by itself (${howItEnded(event)})`,
  'container.restarted': ({ restarts, ...of }) => `${replicaIn(of)} was started again (restart ${restarts})`,
  'container.out-of-memory': ({ memoryBytes, ...of }) =>
    `${replicaIn(of)} used more than its ${Math.round(memoryBytes / mebi)} MiB of memory and was killed`,
  'container.crash-looping': ({ exits, withinMs, ...of }) =>
    `${replicaIn(of)} crashes again and again: ${exits} times within ${seconds(withinMs)} s`,
  'run.failed': ({ number, name, message }) =>
    `${name === null ? `run #${number}` : `run #${number} of the cron job ${name}`} failed: ${message}`,
  'health.failing': ({ reason, ...of }) => `${replicaIn(of)} fails its health check: ${reason}`,
  'health.recovered': (of) => `${replicaIn(of)} answers its health check again`,
  'alert.fired': (facts) => firedWords(facts, 'en'),
  'alert.recovered': (facts) => recoveredWords(facts, 'en'),
  'certificate.issued': ({ hostname, isRenewal }) =>
    `the certificate of ${hostname} was ${isRenewal ? 'renewed' : 'issued'}`,
  'certificate.failed': ({ hostname, message }) =>
    `the certificate of ${hostname} was not issued: ${message}`,
  'scaling.refused': ({ reason, ...change }) =>
    `could not be scaled ${sizes(change, (from, to) => `from ${from} to ${to}`)}: ${reason}`,
  'scaling.changed': (change) => `was scaled ${sizes(change, (from, to) => `from ${from} to ${to}`)}`,
  'recovery.mended': ({ cause, process, replica }) =>
    `${replica === null ? 'was' : `${replicaIn({ process, replica })} was`} mended by Berth (${cause})`,
}

const chinese: Words = {
  'app.created': () => '已创建',
  'app.started': () => '已启动',
  'app.stopped': () => '已停止',
  'deployment.asked': ({ number, image, toNumber }) =>
    toNumber === null ? `即将部署：#${number}，镜像 ${image}` : `即将回滚到 #${toNumber}（部署 #${number}）`,
  'deployment.live': ({ number, tookMs }) => `部署 #${number} 已上线，用时 ${seconds(tookMs)} 秒`,
  'deployment.failed': ({ number, message }) => `部署 #${number} 失败：${message}`,
  'deployment.canceled': ({ number }) => `部署 #${number} 已取消`,
  'deployment.superseded': ({ number }) => `部署 #${number} 已被更新的部署取代`,
  'deployment.rolled-back': ({ number, toNumber }) =>
    `已回滚${toNumber === null ? '' : `到 #${toNumber}`}：部署 #${number} 已上线`,
  'deployment.rolled-back-automatically': ({ fromNumber, toNumber }) =>
    `部署 #${fromNumber} 反复崩溃，正在自动回滚到 #${toNumber}`,
  'configuration.changed': ({ changes }) => `设置已更改：${fields(changes)}`,
  'configuration.variables-changed': ({ changes }) => `变量已更改：${fields(changes)}`,
  'container.exited': (event) => `${replicaInChinese(event)} 自行退出（${howItEnded(event)}）`,
  'container.restarted': ({ restarts, ...of }) => `${replicaInChinese(of)} 已重新启动（第 ${restarts} 次）`,
  'container.out-of-memory': ({ memoryBytes, ...of }) =>
    `${replicaInChinese(of)} 超出 ${Math.round(memoryBytes / mebi)} MiB 内存限制，已被终止`,
  'container.crash-looping': ({ exits, withinMs, ...of }) =>
    `${replicaInChinese(of)} 反复崩溃：${seconds(withinMs)} 秒内 ${exits} 次`,
  'run.failed': ({ number, name, message }) =>
    `${name === null ? `运行 #${number}` : `定时任务 ${name} 的运行 #${number}`} 失败：${message}`,
  'health.failing': ({ reason, ...of }) => `${replicaInChinese(of)} 未通过健康检查：${reason}`,
  'health.recovered': (of) => `${replicaInChinese(of)} 已恢复健康`,
  'alert.fired': (facts) => firedWords(facts, 'zh-CN'),
  'alert.recovered': (facts) => recoveredWords(facts, 'zh-CN'),
  'certificate.issued': ({ hostname, isRenewal }) => `${hostname} 的证书已${isRenewal ? '续期' : '签发'}`,
  'certificate.failed': ({ hostname, message }) => `${hostname} 的证书签发失败：${message}`,
  'scaling.refused': ({ reason, ...change }) =>
    `规模无法调整（${sizes(change, (from, to) => `${from} → ${to}`)}）：${reason}`,
  'scaling.changed': (change) => `已调整规模：${sizes(change, (from, to) => `${from} → ${to}`)}`,
  'recovery.mended': ({ cause, process, replica }) =>
    `${replica === null ? '' : `${replicaInChinese({ process, replica })} `}已由 Berth 自动恢复（${cause}）`,
}

const languages: Record<WordsLanguage, Words> = { en: english, 'zh-CN': chinese }

/** Such as "deployment #3 failed: …". Names and messages in it are what people and images wrote: escape it. */
export function sentenceOf(event: AppEvent, language: WordsLanguage = 'en'): string {
  // Each kind's own function gets its own kind of event, which the compiler can't follow through the table.
  const words = languages[language][event.kind] as (event: AppEvent) => string
  return words(event)
}
