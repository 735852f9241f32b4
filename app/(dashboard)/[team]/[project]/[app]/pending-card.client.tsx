'use client'

import { Rocket } from 'lucide-react'
import { useRouter } from 'next/navigation'
import { useTranslations } from 'next-intl'
import type { PendingChange, PendingChanges } from '@/platform/model/pending-changes.ts'
import { discardChangesAction } from '../../../../_actions/apps.ts'
import { deployAction } from '../../../../_actions/deployments.ts'
import { Button } from '../../../../_ui/button.tsx'
import { Card, CardHeader } from '../../../../_ui/card.tsx'
import { ConfirmDialog } from '../../../../_ui/confirm-dialog.client.tsx'
import { Notice } from '../../../../_ui/notice.tsx'
import { RelativeTime } from '../../../../_ui/relative-time.client.tsx'
import { useAction } from '../../../../_ui/use-action.ts'
import { useSettingWords } from './setting-words.ts'

interface PendingCardProps {
  appId: string
  pending: PendingChanges
  canChange: boolean
  /** Of the app, where one watches the deployment. */
  path: string
}

/** What is changed and not deployed yet, and what to do about it; leaving it is saving it for later. */
export function PendingCard({ appId, pending, canChange, path }: PendingCardProps) {
  const t = useTranslations('pending')
  const router = useRouter()
  const { nameOf } = useSettingWords()
  const { run, pending: isBusy } = useAction()
  const { changes, underWay } = pending
  const mayDeploy = canChange && underWay === null
  if (changes.length === 0) return null
  return (
    <Card aria-labelledby="pending">
      <CardHeader
        titleId="pending"
        title={t('title', { count: changes.length })}
        description={underWay === null ? t('description') : t('underWay', { number: underWay.number })}
      />
      <ul className="mt-3 max-h-96 divide-y overflow-y-auto border-t">
        {changes.map((change) => (
          <li key={change.field} className="flex flex-wrap items-start gap-x-4 gap-y-1.5 px-5 py-3">
            <ChangeWords change={change} />
            {mayDeploy && change.canDiscard && (
              <Button
                size="small"
                disabled={isBusy}
                aria-label={t('discardOne', { field: nameOf(change.field) })}
                onClick={() => run(() => discardChangesAction(appId, { fields: [change.field] }))}
              >
                {t('discard')}
              </Button>
            )}
          </li>
        ))}
      </ul>
      {mayDeploy && (
        <div className="flex flex-wrap gap-2 border-t px-5 py-4">
          <Button
            tone="primary"
            pending={isBusy}
            onClick={() => run(() => deployAction(appId), { onDone: () => router.push(path) })}
          >
            <Rocket aria-hidden />
            {t('deploy')}
          </Button>
          {changes.some(({ canDiscard }) => canDiscard) && (
            <ConfirmDialog
              title={t('discardAllTitle')}
              description={t('discardAllDescription')}
              confirmLabel={t('discardAll')}
              action={() => discardChangesAction(appId, {})}
              trigger={<Button>{t('discardAll')}</Button>}
            />
          )}
        </div>
      )}
    </Card>
  )
}

function ChangeWords({ change }: { change: PendingChange }) {
  const t = useTranslations('pending')
  const { nameOf } = useSettingWords()
  const { field, before, after, source, problem, by, at } = change
  return (
    <div className="min-w-0 flex-1 space-y-0.5">
      <p className="break-words font-medium">{nameOf(field)}</p>
      <p className="break-all font-mono text-[12.5px]">
        <span className="text-muted line-through decoration-1">
          <span className="sr-only">{t('before')} </span>
          <Value change={change} value={before} isThere={change.change !== 'added'} />
        </span>
        <span aria-hidden className="text-muted">
          {' → '}
        </span>
        <span className="font-medium">
          <span className="sr-only">{t('after')} </span>
          <Value change={change} value={after} isThere={change.change !== 'removed'} />
        </span>
      </p>
      {problem !== null && <Notice tone="danger">{problem}</Notice>}
      <p className="text-muted text-xs">
        {source !== 'app' && `${t(`source.${source}`)} · `}
        {by}
        {at !== null && (
          <>
            {' · '}
            <RelativeTime at={at} />
          </>
        )}
      </p>
    </div>
  )
}

function Value({ change, value, isThere }: { change: PendingChange; value: unknown; isThere: boolean }) {
  const { textOf } = useSettingWords()
  if (!isThere) return '–'
  return change.isSecret ? '••••••' : textOf(change.field, value)
}
