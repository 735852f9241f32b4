-- AlterTable
ALTER TABLE "certificates" ALTER COLUMN "teamId" DROP NOT NULL;
