import { useTranslations } from 'next-intl'
import type { RollbackPlan } from '@/platform/model/rollback-plan.ts'
import { Notice } from '../../../../_ui/notice.tsx'
import { useSettingWords } from './setting-words.ts'

/** The image and the configuration, as they are and as they would be. */
export function RollbackChanges({ plan }: { plan: RollbackPlan }) {
  const t = useTranslations('deployments')
  const { nameOf } = useSettingWords()
  const { image, isSameImage, isKept, stopsFirst, changes, fromNumber } = plan
  return (
    <>
      {fromNumber === null && <p className="text-muted">{t('nothingServes')}</p>}
      <section aria-label={t('image')} className="space-y-1">
        <h3 className="text-muted text-xs">{t('image')}</h3>
        {isSameImage ? (
          <p>{t('sameImage')}</p>
        ) : (
          <>
            {image.from !== null && <Image {...image.from} words={t('changeFrom')} isOld />}
            <Image {...image.to} words={t('changeTo')} />
          </>
        )}
      </section>
      <section aria-label={t('configuration')} className="space-y-1">
        <h3 className="text-muted text-xs">{t('configuration')}</h3>
        {changes.length === 0 ? (
          <p>{t('sameConfiguration')}</p>
        ) : (
          <ul className="max-h-56 space-y-1 overflow-y-auto text-[12.5px]">
            {changes.map(({ field, before, after }) => (
              <li key={field} className="break-all rounded-lg bg-sunken px-2.5 py-1.5 font-mono">
                <span className="block font-sans text-muted">{nameOf(field)}</span>
                <Value field={field} value={before} words={t('changeFrom')} isOld />
                <span aria-hidden className="text-muted">
                  {' → '}
                </span>
                <Value field={field} value={after} words={t('changeTo')} />
              </li>
            ))}
          </ul>
        )}
      </section>
      {!isKept && <Notice tone="warning">{t('notKept')}</Notice>}
      {stopsFirst && <Notice tone="warning">{t('gap')}</Notice>}
    </>
  )
}

interface ImageProps {
  reference: string
  digest: string | null
  words: string
  isOld?: boolean
}

function Image({ reference, digest, words, isOld = false }: ImageProps) {
  return (
    <p className="break-all rounded-lg bg-sunken px-2.5 py-1.5 font-mono text-[12.5px]">
      <span className="sr-only">{words} </span>
      <span aria-hidden className={isOld ? 'text-danger' : 'text-success'}>
        {isOld ? '− ' : '+ '}
      </span>
      {reference}
      {digest !== null && <span className="block text-muted">{digest.slice(0, 19)}…</span>}
    </p>
  )
}

interface ValueProps {
  field: string
  value: unknown
  words: string
  isOld?: boolean
}

function Value({ field, value, words, isOld = false }: ValueProps) {
  const { textOf } = useSettingWords()
  return (
    <span className={isOld ? 'text-muted line-through decoration-1' : 'font-medium'}>
      <span className="sr-only">{words} </span>
      {textOf(field, value)}
    </span>
  )
}
