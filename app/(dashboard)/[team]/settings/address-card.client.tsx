'use client'

import { useTranslations } from 'next-intl'
import { useState } from 'react'
import { moveTeamAction } from '../../../_actions/teams.ts'
import { Button } from '../../../_ui/button.tsx'
import { Card, CardHeader } from '../../../_ui/card.tsx'
import { Modal } from '../../../_ui/dialog.client.tsx'
import { TextField } from '../../../_ui/field.client.tsx'
import { DialogForm } from '../../../_ui/form.client.tsx'
import { useAction } from '../../../_ui/use-action.ts'

interface AddressCardProps {
  team: { id: string; slug: string; imageNamespace: string }
  /** Such as berth.example.com */
  registryHost: string
  dashboard: string
}

/** Where the team is found. Whoever changes it is told beforehand what moves along and what stays. */
export function AddressCard({ team, registryHost, dashboard }: AddressCardProps) {
  const t = useTranslations('teamPages')
  const { run, pending, form, errorOf, summary, clear } = useAction()
  const [open, setOpen] = useState(false)
  const [slug, setSlug] = useState(team.slug)
  const problem = summary(['slug'])
  return (
    <Card>
      <CardHeader
        title={t('address')}
        actions={
          <Modal
            open={open}
            onOpenChange={(next) => {
              setOpen(next)
              setSlug(team.slug)
              clear()
            }}
            title={t('moveTitle')}
            trigger={<Button size="small">{t('move')}</Button>}
          >
            <DialogForm
              form={form}
              onSubmit={() => {
                run(() => moveTeamAction(team.id, slug), {
                  onDone: ({ path }) => window.location.assign(`${path}/settings`),
                })
              }}
              problem={problem}
              pending={pending}
              submit={t('move')}
              disabled={slug === team.slug}
            >
              <TextField
                label={t('newAddress')}
                name="slug"
                value={slug}
                onValueChange={setSlug}
                error={errorOf('slug')}
                mono
                autoFocus
              />
              <ul className="list-disc space-y-1.5 pl-5 text-muted">
                <li>{t('moveLinks', { slug: team.slug })}</li>
                <li>{t('moveApps')}</li>
                <li>{t('moveImages', { images: `${registryHost}/${team.imageNamespace}` })}</li>
              </ul>
            </DialogForm>
          </Modal>
        }
      />
      <dl className="grid gap-x-6 gap-y-3 p-5 sm:grid-cols-2">
        <div className="min-w-0">
          <dt className="text-muted text-xs">{t('addressOfPages')}</dt>
          <dd className="break-all font-mono text-[13px]">{`${dashboard}/${team.slug}`}</dd>
        </div>
        <div className="min-w-0">
          <dt className="text-muted text-xs">{t('addressOfImages')}</dt>
          <dd className="break-all font-mono text-[13px]">{`${registryHost}/${team.imageNamespace}/…`}</dd>
        </div>
      </dl>
    </Card>
  )
}
