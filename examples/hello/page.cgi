#!/bin/sh
# What this container sees of the world.
. /lib/libgreeting.sh
cat <<PAGE
Content-Type: text/plain

$(greeting "${REMOTE_ADDR#::ffff:}")
library:   /lib/libgreeting.sh, version $VERSION
host:      $(hostname), port 80
address:   $(hostname -i)
processes:
$(ps -o pid,args)
PAGE
