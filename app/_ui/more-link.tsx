import { getTranslations } from 'next-intl/server'
import { ButtonLink } from './button.tsx'
import { addressOf } from './query.ts'

interface MoreLinkProps {
  path: string
  /** What the page was asked with. */
  query: Record<string, string | undefined>
  nextCursor: string | null
}

/** Leads to the next page of a list, if there is one. */
export async function MoreLink({ path, query, nextCursor }: MoreLinkProps) {
  if (nextCursor === null) return null
  const t = await getTranslations('common')
  return (
    <div className="mt-4 flex justify-center">
      <ButtonLink href={addressOf(path, { ...query, cursor: nextCursor })}>{t('more')}</ButtonLink>
    </div>
  )
}
