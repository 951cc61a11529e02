// All that a program needs.
#pragma once

#include "flott/api/data_stream.h"
#include "flott/api/environment.h"
#include "flott/api/keyed_stream.h"
#include "flott/base/options.h"
