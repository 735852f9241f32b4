-- AlterTable
ALTER TABLE "apps" ADD COLUMN     "followFailures" INTEGER NOT NULL DEFAULT 0,
ADD COLUMN     "followLookedAt" TIMESTAMP(3);

-- AlterTable
ALTER TABLE "registry_logins" ADD COLUMN     "note" TEXT NOT NULL DEFAULT '';
