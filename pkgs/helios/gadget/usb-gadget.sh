#!/bin/sh
# The USB gadget: network (ECM) and a serial port on the device port of the board.
#   start   makes the gadget and binds it to the first device controller
#   stop    takes it away
#   watch   binds it again if the controller has dropped it, and tells a silent host again that the network is there
# Settings: VID, PID, MANUFACTURER, PRODUCT of /etc/helios/gadget.env.
set -eu

gadget=/sys/kernel/config/usb_gadget/g1
controllers=/sys/class/udc
# What the network had counted when something had last come in: changes of the carrier, and packets.
heard=/run/helios-usb-gadget.heard

serial() {
  if [ -r /sys/firmware/devicetree/base/serial-number ]; then
    tr -d '\000' < /sys/firmware/devicetree/base/serial-number
  else
    cut -c 1-16 /etc/machine-id
  fi
}

# A stable address for one end of the cable: locally administered, from the serial number.
address() {
  serial | sha256sum | sed -E "s/^(..)(..)(..)(..).*/02:\1:\2:\3:\4:0$1/"
}

controller() {
  for found in "$controllers"/*; do
    if [ -e "$found" ]; then
      basename "$found"
      return
    fi
  done
  echo "there is no USB device controller" >&2
  return 1
}

start() {
  modprobe -a libcomposite usb_f_ecm usb_f_acm
  mkdir -p "$gadget/strings/0x409" "$gadget/configs/c.1/strings/0x409" "$gadget/functions/ecm.usb0" "$gadget/functions/acm.usb0"
  echo "$VID" > "$gadget/idVendor"
  echo "$PID" > "$gadget/idProduct"
  echo "$MANUFACTURER" > "$gadget/strings/0x409/manufacturer"
  echo "$PRODUCT" > "$gadget/strings/0x409/product"
  serial > "$gadget/strings/0x409/serialnumber"
  echo "network and serial port" > "$gadget/configs/c.1/strings/0x409/configuration"
  echo 250 > "$gadget/configs/c.1/MaxPower"
  address 1 > "$gadget/functions/ecm.usb0/dev_addr"
  address 2 > "$gadget/functions/ecm.usb0/host_addr"
  for function in ecm.usb0 acm.usb0; do
    [ -e "$gadget/configs/c.1/$function" ] || ln -s "$gadget/functions/$function" "$gadget/configs/c.1/$function"
  done
  controller > "$gadget/UDC"
}

stop() {
  rm -f "$heard"
  [ -d "$gadget" ] || return 0
  echo > "$gadget/UDC" || true
  # configfs is taken apart in the opposite order; its directories are removed as if they were empty.
  rm -f "$gadget/configs/c.1/ecm.usb0" "$gadget/configs/c.1/acm.usb0"
  for part in configs/c.1/strings/0x409 configs/c.1 functions/ecm.usb0 functions/acm.usb0 strings/0x409 .; do
    [ ! -d "$gadget/$part" ] || rmdir "$(realpath "$gadget/$part")"
  done
}

watch() {
  if [ -z "$(cat "$gadget/UDC")" ]; then
    echo "the controller has dropped the gadget; binding it again"
    controller > "$gadget/UDC"
  fi
  tell_again
}

# A host learns by one message that the network is there. Linux (its usbnet, since August 2025) can lose it when it comes
# while the host's interface is being opened, and waits for it ever after. So, as long as nothing has come in since
# the cable was plugged in, the interface goes down and up, which sends the message again.
tell_again() {
  network=/sys/class/net/$(cat "$gadget/functions/ecm.usb0/ifname")
  # Of an interface that is down the carrier cannot be read.
  [ "$(cat "$network/carrier" 2> /dev/null)" = 1 ] || return 0
  changes=$(cat "$network/carrier_changes")
  packets=$(cat "$network/statistics/rx_packets")
  # A line that is not whole says nothing.
  { [ -e "$heard" ] && read -r heard_changes heard_packets < "$heard"; } || { heard_changes=none heard_packets=0; }
  if [ "$packets" != "$heard_packets" ]; then
    echo "$changes $packets" > "$heard"
  elif [ "$changes" != "$heard_changes" ]; then
    echo "nothing has come from the host yet; telling it again that the network is there"
    ip link set "${network##*/}" down
    ip link set "${network##*/}" up
  fi
}

case ${1-} in
  start | stop | watch) "$1" ;;
  *)
    echo "usage: $0 start|stop|watch" >&2
    exit 2
    ;;
esac
