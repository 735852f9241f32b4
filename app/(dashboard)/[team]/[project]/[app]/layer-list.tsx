import { useLocale, useTranslations } from 'next-intl'
import type { LayerProgress } from '@/platform/model/events.ts'
import { formatBytes, shortDigest } from '../../../../_ui/format.ts'
import { ProgressBar } from '../../../../_ui/progress-bar.tsx'

interface LayerListProps {
  layers: LayerProgress[]
  /** Digests of those of which nothing came for a while, each with the seconds. */
  stalled?: ReadonlyMap<string, number>
}

const none: ReadonlyMap<string, number> = new Map()

/** How far each layer of the image is. */
export function LayerList({ layers, stalled = none }: LayerListProps) {
  const t = useTranslations('layer')
  const locale = useLocale()
  const sum = (of: (layer: LayerProgress) => number) => layers.reduce((total, layer) => total + of(layer), 0)
  const done = sum((layer) =>
    isHere(layer) ? layer.totalBytes : Math.min(layer.doneBytes, layer.totalBytes),
  )
  return (
    <section aria-label={t('title')} className="border-t px-5 py-4">
      <p className="mb-2 flex justify-between text-muted text-xs">
        <span>{t('count', { done: layers.filter(isHere).length, total: layers.length })}</span>
        <span className="tabular-nums">
          {formatBytes(done, locale)} /{' '}
          {formatBytes(
            sum(({ totalBytes }) => totalBytes),
            locale,
          )}
        </span>
      </p>
      <ul className="space-y-2">
        {layers.map((layer) => (
          <li key={layer.digest} className="grid grid-cols-[6.5rem_1fr_auto] items-center gap-3 text-xs">
            <code className="truncate font-mono text-muted">{shortDigest(layer.digest)}</code>
            <ProgressBar
              label={t('progress', { digest: shortDigest(layer.digest) })}
              value={isHere(layer) ? 1 : layer.totalBytes === 0 ? 0 : layer.doneBytes / layer.totalBytes}
            />
            <span className="min-w-28 text-right text-muted tabular-nums">
              {layer.state === 'downloading'
                ? `${formatBytes(layer.doneBytes, locale)} / ${formatBytes(layer.totalBytes, locale)}`
                : t(`state.${layer.state}`)}
            </span>
            {stalled.has(layer.digest) && (
              <span className="col-span-2 col-start-2 text-warning">
                {t('stalled', { seconds: stalled.get(layer.digest) ?? 0 })}
              </span>
            )}
          </li>
        ))}
      </ul>
    </section>
  )
}

function isHere({ state }: LayerProgress): boolean {
  return state === 'done' || state === 'exists'
}
