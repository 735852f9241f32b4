'use client'

import { useRouter } from 'next/navigation'
import { useTranslations } from 'next-intl'
import type { Repository } from '@/platform/model/repositories.ts'
import { removeFromRepositoryAction, updateRepositoryAction } from '../../../../_actions/repositories.ts'
import { Button } from '../../../../_ui/button.tsx'
import { Card, CardHeader } from '../../../../_ui/card.tsx'
import { ConfirmDialog } from '../../../../_ui/confirm-dialog.client.tsx'
import { TextField } from '../../../../_ui/field.client.tsx'
import { Form } from '../../../../_ui/form.client.tsx'
import { useAction } from '../../../../_ui/use-action.ts'

interface RepositorySettingsProps {
  repository: Pick<Repository, 'id' | 'name' | 'description' | 'isPublic' | 'isBuildCache'>
  listPath: string
}

/** For those who may: what it is for, who may pull it, and the end of it. */
export function RepositorySettings({ repository, listPath }: RepositorySettingsProps) {
  const t = useTranslations('repositories')
  const tCommon = useTranslations('common')
  const router = useRouter()
  const { run, pending, form, errorOf, summary } = useAction()
  const { id, name, isPublic, isBuildCache } = repository
  const problem = summary(['description'])
  return (
    <Card>
      <CardHeader title={t('settings')} />
      <Form
        form={form}
        className="p-5"
        onSubmit={(data) => {
          const description = String(data.get('description') ?? '')
          run(() => updateRepositoryAction(id, { description }), { done: tCommon('saved') })
        }}
        problem={problem}
        pending={pending}
        submit={tCommon('save')}
        actions={
          <>
            {!isBuildCache && (
              <ConfirmDialog
                title={isPublic ? t('makePrivate') : t('makePublic')}
                description={isPublic ? t('makePrivateDescription') : t('makePublicDescription')}
                confirmLabel={isPublic ? t('makePrivate') : t('makePublic')}
                done={tCommon('saved')}
                trigger={<Button>{isPublic ? t('makePrivate') : t('makePublic')}</Button>}
                action={() => updateRepositoryAction(id, { isPublic: !isPublic })}
              />
            )}
            <ConfirmDialog
              title={t('deleteTitle', { name })}
              description={t('deleteDescription')}
              typed={name}
              confirmLabel={t('deleteRepository')}
              done={t('removed')}
              trigger={<Button tone="danger">{t('deleteRepository')}</Button>}
              action={() => removeFromRepositoryAction(id, { force: false })}
              onDone={() => router.push(listPath)}
            />
          </>
        }
      >
        <TextField
          label={t('descriptionLabel')}
          name="description"
          defaultValue={repository.description}
          error={errorOf('description')}
        />
      </Form>
    </Card>
  )
}
