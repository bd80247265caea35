"""From a finding's fix to files on the disk: applied, proved to do no harm, and written all or none."""
