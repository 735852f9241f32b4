-- AlterTable
ALTER TABLE "teams" ADD COLUMN     "maxPorts" INTEGER;
